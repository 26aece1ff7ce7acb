import { KUBELET } from '../facts/kubelet-processes.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { Play } from '../playbook/play.js';
import { restartScript } from '../shell/restore-services.js';
import { doneResource } from './restore-service-steps.js';
import { command, playOf, stepResource } from './restore-step.js';

/** The workers of a cluster, by whether they answer: one that is gone keeps no cluster from its restore. */
export interface WorkersSeen {
  readonly answering: readonly string[];
  readonly away: readonly { readonly host: string; readonly reason: string }[];
}

/** Asks every worker of the inventory. */
export async function lookAtWorkers(
  { nodes, controlPlanes }: Pick<Cluster, 'nodes' | 'controlPlanes'>,
  probe: (host: string) => Probe,
): Promise<WorkersSeen> {
  const workers = nodes.filter((node) => !controlPlanes.some(({ host }) => host === node));
  const asked = await Promise.all(
    workers.map(async (host) => ({ host, unit: await unlessLost(probe(host).ask(unitState, KUBELET)) })),
  );
  return {
    answering: asked.flatMap(({ host, unit }) => (unit instanceof RemoteError ? [] : [host])),
    away: asked.flatMap(({ host, unit }) =>
      unit instanceof RemoteError ? [{ host, reason: unit.message.split('\n')[0] ?? '' }] : [],
    ),
  };
}

/** What a person is told of a worker that the restore goes on without. */
export function describeAwayWorker({ host, reason }: WorkersSeen['away'][number]): string {
  return `its kubelet is not restarted, for it can't be asked (${reason}). If it has not booted since: ssh ${host} sudo systemctl restart ${KUBELET}. Until then \`verify\` reports it`;
}

/** Whose memory is of before, and who has notes of the restore. */
export interface Restarts {
  readonly id: string;
  readonly cluster: Pick<Cluster, 'controlPlanes'>;
  readonly workers: WorkersSeen;
  /** The hosts of the members that take part. */
  readonly members: readonly string[];
}

/** The end of a restore: what remembers old revisions is started again, then every host notes that it is done. */
export function restartPlays({ id, cluster, workers, members }: Restarts): readonly Play[] {
  const planes = [...new Set(cluster.controlPlanes.map(({ host }) => host))];
  // A worker alone has no other note, and one without `done` would be an unfinished restore.
  const stageOf = (host: string) => (members.includes(host) ? 'restarted' : 'done');
  return [
    playOf(
      'Start again what remembers old revisions',
      [
        ...planes.map((host) => [host, controlPlaneStep(id)] as const),
        ...workers.answering.map((host) => [host, workerStep(id, stageOf(host))] as const),
      ],
      { gatesBefore: ['etcd-healthy'], ...(planes.length === 0 ? {} : { gatesAfter: ['apiserver-ready'] }) },
    ),
    playOf(
      'Note that it is done',
      [...new Set([...planes, ...members])].map((host) => [host, doneResource(id)]),
      { gatesBefore: ['etcd-healthy'] },
    ),
  ];
}

function controlPlaneStep(id: string): Resource {
  const summary = 'restart the kubelet, the controller manager and the scheduler';
  return stepResource(id, {
    ...{ stage: 'restarted', summary, undo: 'nothing', disruptive: true },
    details: ['they may remember revisions that are not there any more'],
    command: command(summary, restartScript(id, 'control-plane', 'restarted')),
  });
}

/** One that does not run remembers nothing. */
function workerStep(id: string, stage: 'restarted' | 'done'): Resource {
  const summary = 'restart the kubelet';
  const step = stepResource(id, {
    ...{
      stage,
      summary,
      details: ['it may remember revisions, and run pods, that are not there any more'],
      undo: 'nothing',
      disruptive: true,
    },
    command: command(summary, restartScript(id, 'worker', stage)),
  });
  return {
    ...step,
    async plan(probe) {
      const [outcome, { active }] = await Promise.all([step.plan(probe), probe.ask(unitState, KUBELET)]);
      return active ? outcome : UNCHANGED;
    },
  };
}
