import { pathExists } from '../facts/path-exists.js';
import type { Resource } from '../model/change.js';
import type { Cluster, ControlPlane, Member } from '../model/cluster.js';
import type { Play } from '../playbook/play.js';
import { peerUrlOf } from '../shell/join-member.js';
import { exchangeScript, fenceScript, removeUnpackedScript, unpackScript } from '../shell/restore-snapshot.js';
import { stagePath } from '../shell/restore-stage.js';
import type { RecoveryDecision } from './decide-recovery.js';
import { recoveredToken } from './recovered-cluster.js';
import { restartPlays, type WorkersSeen } from './restart-plays.js';
import { UNPACK_TIMEOUT_MS } from './restore-plays.js';
import { startApiserverStep, startStep, stopApiserverStep } from './restore-service-steps.js';
import { command, playOf, stepResource, type Step } from './restore-step.js';

/** Everything that the plays of a recovery are made of. */
export interface Recovery extends Pick<RecoveryDecision, 'survivor' | 'others' | 'joined'> {
  readonly id: string;
  readonly cluster: Cluster;
  /** What the survivor's tool can do. */
  readonly bump: 'revisions' | 'none';
  /** Of the playbook: how the others join, one after the other. */
  readonly joining: readonly Play[];
  readonly workers: WorkersSeen;
}

/**
 * The plays of a recovery: the others fenced, a cluster of one from the survivor's own data, the others as learners, API servers last.
 * As in a restore each step notes on its host that it was done; what is left of the joining is found from the hosts.
 */
export function recoverPlays(recovery: Recovery): readonly Play[] {
  const { id, cluster, survivor, others, joined, bump, joining, workers } = recovery;
  const { controlPlanes } = cluster;
  const on = (host: string, step: Step) => [host, stepResource(id, step)] as const;
  const onControlPlanes = (step: (controlPlane: ControlPlane) => Step) =>
    controlPlanes.map((each) => on(each.host, step(each)));
  return [
    playOf(
      'Keep the other members from coming back',
      others.filter((member) => !joined.includes(member)).map((member) => on(member.host, fenceStep(id, member))),
    ),
    playOf(
      'Stop the API servers',
      onControlPlanes(({ manifest }) => stopApiserverStep(id, manifest)),
    ),
    playOf('Restore the survivor from its own data', [
      on(survivor.host, unpackStep({ id, cluster, survivor, bump })),
      on(survivor.host, exchangeStep(id, survivor)),
    ]),
    playOf('Start etcd, a cluster of one', [on(survivor.host, aloneStep(id, survivor))], {
      gatesAfter: ['etcd-healthy'],
    }),
    ...joining.map((play) => joiningPlay(play, others, startedNote(id, survivor))),
    playOf(
      'Start the API servers',
      onControlPlanes(({ manifest }) => startApiserverStep(id, manifest, 'apiserver-started')),
      { gatesBefore: ['etcd-healthy'], gatesAfter: ['apiserver-ready'] },
    ),
    ...restartPlays({ id, cluster, workers, members: [survivor, ...others].map(({ host }) => host) }),
  ].filter((play) => play.hosts.length > 0);
}

/** Where it is noted that the cluster of one was started. */
interface Note {
  readonly host: string;
  readonly path: string;
}

function startedNote(id: string, { host }: Member): Note {
  return { host, path: stagePath(id, 'started') };
}

/** For the others alone, one at a time; decided once there is a cluster that they can join. */
function joiningPlay(play: Play, others: readonly Member[], note: Note): Play {
  const hosts = play.hosts.filter((host) => others.some((member) => member.host === host));
  const resources = hosts.map(
    (host) => [host, (play.resources.get(host) ?? []).map((resource) => afterwards(resource, note))] as const,
  );
  return { ...play, hosts, order: 'inventory', batchSize: 1, resources: new Map(resources) };
}

function afterwards(resource: Resource, { host, path }: Note): Resource {
  // Files and packages are the same whatever the cluster is.
  if (/^(?:packages|directory|trust|certificate):/.test(resource.address)) return resource;
  return {
    address: resource.address,
    paths: resource.paths,
    async plan(probe) {
      if (await probe.on(host).ask(pathExists, path)) return resource.plan(probe);
      return { kind: 'unknown', because: `known once ${host} serves` };
    },
  };
}

function fenceStep(id: string, member: Member): Step {
  const { dataDir, unit } = member;
  const summary = `stop and disable ${unit}, and move its data aside`;
  return {
    stage: 'fenced',
    summary,
    details: [`${dataDir}/member → ${dataDir}/member.before-${id}: kept, never deleted`],
    command: command(summary, fenceScript(id, member)),
    undo: { lasting: `${unit} stays stopped, its data aside: run the same command again` },
    effect: 'stop',
    disruptive: true,
  };
}

function unpackStep({ id, cluster, survivor, bump }: Pick<Recovery, 'id' | 'cluster' | 'survivor' | 'bump'>): Step {
  const { dataDir, unit, name } = survivor;
  const url = peerUrlOf(survivor);
  const token = recoveredToken(cluster.token, id);
  const summary = `stop ${unit}, and restore its database into ${dataDir}/restore-${id}`;
  const script = unpackScript({
    ...{ id, member: survivor, from: 'own-data', bump, token },
    initialCluster: `${name}=${url}`,
    peerUrls: [url],
  });
  return {
    stage: 'unpacked',
    summary,
    details: [
      `initial cluster ${name}=${url} alone, token ${token}`,
      'in it: all that this member had applied. Not in it: what only the others had, and what its log has that was not agreed on',
      bump === 'revisions'
        ? 'revisions are raised by 1000000000, and the old ones marked as compacted: watches start again'
        : 'revisions are NOT raised: the etcd here cannot; what watches on may see revisions that it has seen before',
    ],
    command: command(summary, script, { timeoutMs: UNPACK_TIMEOUT_MS }),
    undo: command(`remove ${dataDir}/restore-${id}`, removeUnpackedScript({ id, member: survivor })),
    effect: 'create',
    disruptive: true,
  };
}

function exchangeStep(id: string, survivor: Member): Step {
  const { dataDir, unit } = survivor;
  const summary = `put the restored data in place of ${dataDir}/member`;
  return {
    stage: 'exchanged',
    summary,
    details: [`${dataDir}/member → ${dataDir}/member.before-${id}: database and log as they were, kept, never deleted`],
    command: command(summary, exchangeScript(id, survivor)),
    undo: { lasting: `${unit} stays stopped: run the same command again` },
    effect: 'change',
    disruptive: true,
  };
}

function aloneStep(id: string, survivor: Member): Step {
  return {
    ...startStep(id, survivor, 'started'),
    details: ['it agrees with nobody but itself: writes are possible again'],
  };
}
