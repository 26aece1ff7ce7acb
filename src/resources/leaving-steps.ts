import { described, hex } from '../facts/etcd-membership.js';
import type { Run } from '../model/action.js';
import { changed, UNCHANGED, type Change, type Outcome, type Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import { moveMemberAside } from '../shell/join-member.js';
import { backInService, removeLeaving, yieldLeadership } from '../shell/leave-cluster.js';
import { manifestAside, podMember, startPod, stopPod, type PodMember } from '../shell/etcd-pod.js';
import { serviceCommand } from '../shell/service-command.js';
import { decideRemoval, type LeavingStep, type Removal } from './decide-removal.js';
import { SNAPSHOT_BEFORE } from './joining-steps.js';
import { sizeRemark } from './size-remark.js';
import { lookBeforeLeaving } from './look-before-leaving.js';

/** The resources on the host of a member that is to leave, in the order in which they are done. */
export function leavingSteps(cluster: Cluster, member: Member): readonly Resource[] {
  const step = stepsOf(async (probe) => removalOf(cluster, member, probe));
  return [
    step('snapshot:before', 'remove', () => SNAPSHOT_BEFORE),
    step(`member-stop:${member.name}`, 'stop', () => stopChange(cluster, member)),
    step(`member-remove:${member.name}`, 'remove', (found) => removeChange({ cluster, member, on: member }, found)),
    step(`member-end:${member.name}`, 'stop-after', () => endChange(member)),
    step(`member-aside:${member.name}`, 'aside', () => asideChange(member)),
  ];
}

/**
 * The resources on the host of a member that stays, for those that are to leave and whose hosts can't be asked. Where they can,
 * their own hosts have the resources.
 */
export function lostLeavingSteps(cluster: Cluster, asker: Member): readonly Resource[] {
  const lost = cluster.formerMembers.map((member) => ({
    member,
    removal: async (probe: Probe): Promise<Removal> => {
      const look = await lookBeforeLeaving(cluster, member, probe);
      return look.here === undefined ? decideRemoval(cluster, member, look) : { steps: [], removed: undefined };
    },
  }));
  const any = async (probe: Probe): Promise<Removal> => {
    const all = await Promise.all(lost.map(async ({ removal }) => removal(probe)));
    return all.find(({ steps }) => steps.length > 0) ?? { steps: [], removed: undefined };
  };
  return [
    stepsOf(any)('snapshot:before', 'remove', () => SNAPSHOT_BEFORE),
    ...lost.map(({ member, removal }) =>
      stepsOf(removal)(`member-remove:${member.name}`, 'remove', (found) =>
        removeChange({ cluster, member, on: asker }, found),
      ),
    ),
  ];
}

async function removalOf(cluster: Cluster, member: Member, probe: Probe): Promise<Removal> {
  return decideRemoval(cluster, member, await lookBeforeLeaving(cluster, member, probe));
}

function stepsOf(removal: (probe: Probe) => Promise<Removal>) {
  return (address: string, name: LeavingStep, what: (found: Removal) => Change): Resource => ({
    address,
    paths: [],
    async plan(probe): Promise<Outcome> {
      const found = await removal(probe);
      return found.steps.includes(name) ? changed(what(found)) : UNCHANGED;
    },
  });
}

function stopChange({ formerMembers }: Cluster, member: Member): Change {
  const pod = podMember(member);
  return {
    summary: `${stopWords(member)}: it leaves the cluster`,
    diff: [
      'its leadership is handed over first, if it has it, to a member that stays',
      ...(pod === undefined ? [] : [keptManifest(pod)]),
    ],
    actions: [
      handOver(member, formerMembers),
      ...stopped(member, pod === undefined ? backInService(member) : startPod(pod)),
    ],
    effect: 'stop',
    disruptive: true,
  };
}

function endChange(member: Member): Change {
  return {
    summary: `${stopWords(member)}: it has left the cluster`,
    diff: [podMember(member)].flatMap((pod) => (pod === undefined ? [] : [keptManifest(pod)])),
    actions: stopped(member, { lasting: 'it stays stopped: it has left the cluster' }),
    effect: 'stop',
    disruptive: false,
  };
}

function handOver(member: Member, leaving: readonly Member[]): Run {
  const command = yieldLeadership(
    member,
    leaving.map(({ name }) => name),
  );
  return { kind: 'run', command, undo: 'nothing' };
}

function stopWords(member: Member): string {
  const of = `(member ${member.name})`;
  return member.manifest === undefined ? `stop and disable ${member.unit} ${of}` : `end the static pod of etcd ${of}`;
}

function keptManifest(pod: PodMember): string {
  return `${pod.manifest} → ${manifestAside(pod)}: kept, never deleted`;
}

/** @param undo of a member that is still listed, it runs again; one that has left stays stopped */
function stopped(member: Member, undo: Run['undo']): readonly Run[] {
  const pod = podMember(member);
  if (pod !== undefined) return [{ kind: 'run', command: stopPod(pod), undo }];
  const { unit } = member;
  return (['disable', 'stop'] as const).map((verb) => ({ kind: 'run', command: serviceCommand(verb, unit), undo }));
}

/** Who leaves, and from where that is asked. */
interface Leave {
  readonly cluster: Cluster;
  readonly member: Member;
  /** On whose host the request is made. */
  readonly on: Member;
}

function removeChange({ cluster, member, on }: Leave, { removed, clusterId }: Removal): Change {
  if (removed === undefined) throw new Error('there is no entry to remove');
  const isThere = on === member;
  const isStopped = isThere && cluster.members.length > 1;
  const request = { member: on, peers: cluster.members, clusterId };
  return {
    summary: `remove ${member.name} from the list of members, by its id ${hex(removed.id)}`,
    diff: [
      `- ${described(removed)}`,
      ...(isThere
        ? []
        : [
            `${member.host} can't be asked, and nobody answers at its address: what is on it stays`,
            "with its old data it can't come back: etcd ends there by itself",
          ]),
      `then ${sizeRemark(cluster.members.length)}`,
    ],
    actions: [
      { kind: 'await', gate: isThere ? 'etcd-serves-without-batch' : 'etcd-healthy', parameters: {} },
      { kind: 'await', gate: 'peers-take-writes', parameters: {} },
      ...(isThere && !isStopped ? [handOver(member, cluster.formerMembers)] : []),
      {
        kind: 'run',
        command: removeLeaving(request, hex(removed.id), isStopped ? member : undefined),
        undo: { lasting: 'it stays removed: run the same command again' },
      },
    ],
    effect: 'delete',
    disruptive: isThere && !isStopped,
  };
}

function asideChange(member: Member): Change {
  const { dataDir } = member;
  return {
    summary: `move the data of the former member aside: ${dataDir}/member`,
    diff: [`${dataDir}/member → ${dataDir}/member.removed-TIME: kept, never deleted`],
    actions: [
      {
        kind: 'run',
        command: moveMemberAside(member, 'removed'),
        undo: { lasting: 'the data stays aside, under a dated name' },
      },
    ],
    effect: 'change',
    disruptive: false,
  };
}
