import { pathExists } from '../facts/path-exists.js';
import { changed, UNCHANGED, type Resource, type Run } from '../model/change.js';
import type { Cluster, ControlPlane, Member } from '../model/cluster.js';
import type { Command, StdinFile } from '../model/remote.js';
import type { Play } from '../playbook/play.js';
import {
  exchangeBackScript,
  exchangeScript,
  finishScript,
  leaveScript,
  removeUnpackedScript,
  stagePath,
  startApiserverScript,
  startMemberScript,
  stopApiserverScript,
  stopMemberScript,
  unpackScript,
  unstartMemberScript,
  unstopApiserverScript,
  type RestoreStage,
} from '../shell/restore-snapshot.js';

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
}

/** Sending and restoring gigabytes on a slow disk. */
export const UNPACK_TIMEOUT_MS = 6 * 60 * 60_000;
/** systemd's own limits are below it; a kube-apiserver may take three minutes to end. */
const STEP_TIMEOUT_MS = 300_000;

/** What is done until a stage is noted on its host. */
export interface Step {
  readonly stage: RestoreStage;
  readonly summary: string;
  readonly details: readonly string[];
  readonly command: Command;
  readonly undo: Run['undo'];
  readonly disruptive: boolean;
}

/** A step as a resource: done once its stage is noted. @param id of the restore */
export function stepResource(id: string, step: Step): Resource {
  return {
    address: `restore:${step.stage}`,
    paths: [],
    async plan(probe) {
      if (await probe.ask(pathExists, stagePath(id, step.stage))) return UNCHANGED;
      return changed({
        summary: step.summary,
        diff: step.details,
        actions: [{ kind: 'run', command: step.command, undo: step.undo }],
        disruptive: step.disruptive,
      });
    },
  };
}

/** A command of a step. */
export function command(summary: string, script: string, more: Partial<Command> = {}): Command {
  return { summary, script, timeoutMs: STEP_TIMEOUT_MS, ...more };
}

/** A play of such resources. */
export function playOf(
  name: string,
  resources: readonly (readonly [host: string, resource: Resource])[],
  gates: Partial<Pick<Play, 'gatesBefore' | 'gatesAfter'>> = {},
): Play {
  const byHost = new Map<string, Resource[]>();
  for (const [host, resource] of resources) byHost.set(host, [...(byHost.get(host) ?? []), resource]);
  const hosts = [...byHost.keys()];
  // All hosts at once: each play is a barrier that no host passes before the others.
  return {
    name,
    hosts,
    batchSize: undefined,
    order: 'inventory',
    gatesBefore: [],
    gatesAfter: [],
    ...gates,
    resources: byHost,
  };
}

/** Where the way back ends. */
const LAST_WAY_BACK = 'up to here nothing is lost: `snapshot restore INVENTORY --take-back` puts everything back';

/**
 * The plays of a restore, in the order of etcd's and Kubernetes' guides. Each waits for all hosts; each step notes on its
 * host that it was done, so that a run that was killed goes on where it stood.
 */
export function restorePlays(restore: Restore): readonly Play[] {
  const { id, cluster } = restore;
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
    playOf('Start again what remembers old revisions', finishSteps(restore), {
      gatesBefore: ['etcd-healthy'],
      ...(controlPlanes.length === 0 ? {} : { gatesAfter: ['apiserver-ready'] }),
    }),
  ].filter(({ hosts }) => hosts.length > 0);
}

/** The plays that put everything back as it was before a restore; only until the API servers run on what was restored. */
export function takeBackPlays(id: string, cluster: Cluster, members: 'were-stopped' | 'run'): readonly Play[] {
  const { controlPlanes } = cluster;
  return [
    ...(members === 'run' ? leavePlays(id, cluster) : exchangeBackPlays(id, cluster)),
    playOf(
      'Start the API servers',
      controlPlanes.map(({ host, manifest }) => [
        host,
        stepResource(id, startApiserverStep(id, manifest, 'back-apiserver')),
      ]),
      { gatesAfter: ['apiserver-ready'] },
    ),
    playOf(
      'Note that it was taken back',
      [...new Set([...cluster.members, ...controlPlanes].map(({ host }) => host))].map((host) => [
        host,
        doneResource(id, 'member'),
      ]),
    ),
  ].filter(({ hosts }) => hosts.length > 0);
}

function leavePlays(id: string, { members }: Cluster): readonly Play[] {
  const summary = 'remove what was restored beside the data';
  const step = (member: Member): Step => ({
    stage: 'back-exchanged',
    summary,
    details: [],
    command: command(summary, leaveScript(id, member)),
    undo: 'nothing',
    disruptive: false,
  });
  const resources = members.map((member) => [member.host, stepResource(id, step(member))] as const);
  return [playOf('Remove what was restored; no member was stopped', resources)];
}

function exchangeBackPlays(id: string, { members }: Cluster): readonly Play[] {
  const onMembers = (step: (member: Member) => Step) =>
    members.map((member) => [member.host, stepResource(id, step(member))] as const);
  return [
    playOf(
      'Stop etcd',
      onMembers((member) => stopStep(id, member)),
    ),
    playOf(
      'Put the data of before back',
      onMembers((member) => exchangeBackStep(id, member)),
    ),
    playOf(
      'Start etcd, all members together',
      onMembers((member) => startStep(id, member, 'back-started')),
      {
        gatesAfter: ['etcd-healthy'],
      },
    ),
  ];
}

function finishSteps({ id, cluster }: Restore): readonly (readonly [string, Resource])[] {
  const onControlPlane = new Set(cluster.controlPlanes.map(({ host }) => host));
  const hosts = [...onControlPlane, ...cluster.members.map(({ host }) => host)];
  return [...new Set(hosts)].map((host) => [
    host,
    doneResource(id, onControlPlane.has(host) ? 'control-plane' : 'member'),
  ]);
}

/** The end on a host. */
export function doneResource(id: string, role: 'control-plane' | 'member'): Resource {
  const summary =
    role === 'member' ? 'note that it is done' : 'restart the kubelet, the controller manager and the scheduler';
  return stepResource(id, {
    stage: 'done',
    summary,
    details: role === 'member' ? [] : ['they may remember revisions that are not there any more'],
    command: command(summary, finishScript(id, role)),
    undo: 'nothing',
    disruptive: role === 'control-plane',
  });
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
    disruptive: false,
  };
}

/** API servers stop before the data that they use. */
export function stopApiserverStep(id: string, manifest: string): Step {
  const summary = `move ${manifest} aside, and wait until kube-apiserver has ended`;
  return {
    stage: 'apiserver-stopped',
    summary,
    details: ['nobody can use the Kubernetes API from here until it is started again; pods run on'],
    command: command(summary, stopApiserverScript(id, manifest)),
    undo: command(`put ${manifest} back`, unstopApiserverScript(id, manifest)),
    disruptive: true,
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
    disruptive: true,
  };
}

/** A member is started. */
export function startStep(id: string, { unit }: Member, stage: 'started' | 'back-started'): Step {
  const summary = `start ${unit}`;
  return {
    stage,
    summary,
    details: stage === 'started' ? [LAST_WAY_BACK] : [],
    command: command(summary, startMemberScript(id, unit, stage)),
    undo: command(`stop ${unit}`, unstartMemberScript(id, unit, stage)),
    disruptive: false,
  };
}

/** An API server is started, by its manifest. */
export function startApiserverStep(id: string, manifest: string, stage: 'apiserver-started' | 'back-apiserver'): Step {
  const summary = `put ${manifest} back`;
  return {
    stage,
    summary,
    details:
      stage === 'apiserver-started'
        ? ['from here on it can NOT be taken back: what is written now is on the restored data']
        : [],
    command: command(summary, startApiserverScript(id, manifest, stage)),
    undo: { lasting: 'the manifest stays in place' },
    disruptive: false,
  };
}

function stopStep(id: string, { unit }: Member): Step {
  const summary = `stop ${unit}`;
  return {
    stage: 'back-stopped',
    summary,
    details: [],
    command: command(summary, stopMemberScript(id, unit)),
    undo: { lasting: `${unit} stays stopped: run the same command again` },
    disruptive: true,
  };
}

function exchangeBackStep(id: string, member: Member): Step {
  const { dataDir } = member;
  const summary = `put ${dataDir}/member.before-${id} back, where there is one`;
  return {
    stage: 'back-exchanged',
    summary,
    details: [`what was restored is kept as ${dataDir}/member.restored-${id}`],
    command: command(summary, exchangeBackScript(id, member)),
    undo: { lasting: 'run the same command again' },
    disruptive: false,
  };
}
