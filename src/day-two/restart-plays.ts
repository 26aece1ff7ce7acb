import { KUBELET } from '../facts/kubelet-processes.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { RunOnEach } from '../model/action.js';
import { changed, type Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { firstLine } from '../model/first-line.js';
import type { Probe } from '../model/remote.js';
import type { Play } from '../playbook/play.js';
import { restartScript, restartWorkerScript, workersRestartedScript } from '../shell/restore-services.js';
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
      unit instanceof RemoteError ? [{ host, reason: firstLine(unit.message) }] : [],
    ),
  };
}

/** The notice about a worker that the restore goes on without. */
export function describeAwayWorker({ host, reason }: WorkersSeen['away'][number]): string {
  return `its kubelet is not restarted, for it can't be asked (${reason}). If it has not booted since: ${restartByHand(host)}. Until then \`verify\` reports it`;
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
  const hosts = [...new Set([...planes, ...members])];
  // On a host that must answer anyway: no worker keeps the cluster from the end of its restore.
  const first = workers.answering.length === 0 ? [] : hosts.slice(0, 1);
  return [
    playOf(
      'Start again what remembers old revisions',
      [
        ...planes.map((host) => [host, controlPlaneStep(id)] as const),
        ...first.map((host) => [host, workersStep(id, workers.answering)] as const),
      ],
      { gatesBefore: ['etcd-healthy'], ...(planes.length === 0 ? {} : { gatesAfter: ['apiserver-ready'] }) },
    ),
    playOf(
      'Note that it is done',
      hosts.map((host) => [host, doneResource(id)]),
      { gatesBefore: ['etcd-healthy'] },
    ),
  ];
}

function controlPlaneStep(id: string): Resource {
  const summary = 'restart the kubelet, the controller manager and the scheduler';
  return stepResource(id, {
    ...{ stage: 'restarted', summary, undo: 'nothing', effect: 'restart', disruptive: true },
    details: ['they may remember revisions that are not there any more'],
    command: command(summary, restartScript(id)),
  });
}

/** A kubelet is restarted in seconds; a host that hangs holds up the end. */
const WORKER_TIMEOUT_MS = 60_000;

function workersStep(id: string, hosts: readonly string[]): Resource {
  const summary = 'restart the kubelet';
  const step = stepResource(id, {
    ...{ stage: 'workers-restarted', undo: 'nothing', effect: 'restart', disruptive: true },
    summary: `restart the kubelets of workers: ${hosts.join(', ')}`,
    details: [
      'they may remember revisions, and run pods, that are not there any more',
      'one that fails is reported, and holds up nothing',
    ],
    command: command('note that it was done', workersRestartedScript(id)),
  });
  return {
    ...step,
    async plan(probe) {
      const outcome = await step.plan(probe);
      if (outcome.kind !== 'change') return outcome;
      const each: RunOnEach = {
        ...{ kind: 'run-on-each', hosts, next: restartByHand('HOST') },
        command: command(summary, restartWorkerScript(id), { timeoutMs: WORKER_TIMEOUT_MS }),
      };
      return changed({ ...outcome.change, actions: [each, ...outcome.change.actions] });
    },
  };
}

function restartByHand(host: string): string {
  return `ssh ${host} sudo systemctl restart ${KUBELET}`;
}
