import type { Cluster, ControlPlane, Member } from '../model/cluster.js';
import type { StdinFile } from '../model/remote.js';
import type { Play } from '../playbook/play.js';
import { exchangeScript, removeUnpackedScript, unpackScript } from '../shell/restore-snapshot.js';
import { restartPlays, type WorkersSeen } from './restart-plays.js';
import { LAST_WAY_BACK, startApiserverStep, startStep, stopApiserverStep } from './restore-service-steps.js';
import { command, playOf, stepResource, type Step } from './restore-step.js';

/** Everything that the plays of a restore are made of. */
export interface Restore {
  readonly id: string;
  readonly cluster: Cluster;
  readonly snapshot: StdinFile;
  /** What a person calls it. */
  readonly label: string;
  /** Member name → its peer URLs. */
  readonly peerUrls: ReadonlyMap<string, readonly string[]>;
  readonly initialCluster: string;
  readonly bump: 'revisions' | 'none';
  readonly workers: WorkersSeen;
}

/** Sending and restoring gigabytes on a slow disk. */
export const UNPACK_TIMEOUT_MS = 6 * 60 * 60_000;

/**
 * The plays of a restore, in the order of etcd's and Kubernetes' guides. Each waits for all hosts; each step notes on its
 * host that it was done, so that a run that was killed goes on where it stood.
 */
export function restorePlays(restore: Restore): readonly Play[] {
  const { id, cluster, workers } = restore;
  const { members, controlPlanes } = cluster;
  const onMembers = (step: (member: Member) => Step) =>
    members.map((member) => [member.host, stepResource(id, step(member))] as const);
  const onControlPlanes = (step: (controlPlane: ControlPlane) => Step) =>
    controlPlanes.map((each) => [each.host, stepResource(id, step(each))] as const);
  return [
    playOf(
      'Restore the snapshot beside the data; nothing stops',
      onMembers((member) => unpackStep(restore, member)),
    ),
    playOf(
      'Stop the API servers',
      onControlPlanes(({ manifest }) => stopApiserverStep(id, manifest)),
    ),
    playOf(
      'Stop etcd and exchange its data',
      onMembers((member) => exchangeStep(id, member)),
    ),
    playOf(
      'Start etcd, all members together',
      onMembers((member) => startStep(id, member, 'started')),
      {
        gatesAfter: ['etcd-healthy'],
      },
    ),
    playOf(
      'Start the API servers',
      onControlPlanes(({ manifest }) => startApiserverStep(id, manifest, 'apiserver-started')),
      { gatesBefore: ['etcd-healthy'], gatesAfter: ['apiserver-ready'] },
    ),
    ...restartPlays({ id, cluster, workers, members: members.map(({ host }) => host) }),
  ].filter(({ hosts }) => hosts.length > 0);
}

function unpackStep({ id, snapshot, label, peerUrls, initialCluster, bump, cluster }: Restore, member: Member): Step {
  const summary = `restore ${label} into ${member.dataDir}/restore-${id}`;
  const { bytes, sha256 } = snapshot;
  const token = `${cluster.token}-${id}`;
  const script = unpackScript({
    ...{ id, member, initialCluster, token, bump },
    from: { bytes, sha256 },
    peerUrls: peerUrls.get(member.name) ?? [],
  });
  return {
    stage: 'unpacked',
    summary,
    details: [
      `SHA-256 ${sha256}, ${bytes} bytes: compared on the host`,
      `initial cluster ${initialCluster}, token ${token}`,
      bump === 'revisions'
        ? 'revisions are raised by 1000000000, and the old ones marked as compacted: watches start again'
        : 'revisions are NOT raised: the etcd here cannot; what watches on may see revisions that it has seen before',
    ],
    command: command(summary, script, { stdin: snapshot, timeoutMs: UNPACK_TIMEOUT_MS }),
    undo: command(`remove ${member.dataDir}/restore-${id}`, removeUnpackedScript({ id, member })),
    effect: 'create',
    disruptive: false,
  };
}

function exchangeStep(id: string, member: Member): Step {
  const { dataDir, unit } = member;
  const summary = `stop ${unit}, and put the restored data in place`;
  return {
    stage: 'exchanged',
    summary,
    details: [`${dataDir}/member → ${dataDir}/member.before-${id}: kept, never deleted`, LAST_WAY_BACK],
    command: command(summary, exchangeScript(id, member)),
    undo: { lasting: `${unit} stays stopped: run the same command again, or take all back with --take-back` },
    effect: 'change',
    disruptive: true,
  };
}
