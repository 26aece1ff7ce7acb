import { described, hex } from '../facts/etcd-membership.js';
import { lookAtMembers } from '../facts/etcd-phase.js';
import { unitState } from '../facts/unit-state.js';
import { changed, UNCHANGED, type Change, type Outcome, type Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import type { MembershipRequest } from '../shell/asking-peers.js';
import {
  addLearner,
  allowJoin,
  endJoin,
  JOIN_DROP_IN,
  moveMemberAside,
  peerUrlOf,
  promoteLearner,
  removeMember,
} from '../shell/join-member.js';
import type { Replacement, ReplacementStep } from './decide-replacement.js';
import { decideService, restartMember } from './etcd-member.js';
import { sizeRemark } from './size-remark.js';

/** A way to a new member on a host, as what is left of it is found at each look. */
export interface JoiningWay {
  readonly cluster: Cluster;
  readonly member: Member;
  /** All other members that the inventory names, who are asked to change the list: the same ones however many have joined. */
  readonly peers: readonly Member[];
  /** @throws ProvisionError where it must not be gone */
  readonly decide: (probe: Probe) => Promise<Replacement>;
}

/** The other members of the inventory, and those that are to leave: while nobody has joined yet, only they are there. */
export function peersOf({ members, formerMembers }: Cluster, { host }: Member): readonly Member[] {
  return [...members.filter((each) => each.host !== host), ...formerMembers];
}

/** The members that one which is not a voter yet is to join; undefined where it is one, or is to be none. */
export async function membersToJoin(
  { cluster, member, decide }: JoiningWay,
  probe: Probe,
): Promise<readonly Member[] | undefined> {
  const [{ steps }, { present }] = await Promise.all([decide(probe), lookAtMembers(cluster, probe)]);
  if (steps.every((step) => step === 'open')) return undefined;
  return present.members.filter(({ host }) => host !== member.host);
}

/** A snapshot on the control machine, before the list of members is changed. */
export function snapshotBefore(way: JoiningWay): Resource {
  return resourceOf('snapshot:before', way, ({ steps }) => {
    if (!steps.includes('remove') && !steps.includes('add')) return UNCHANGED;
    return changed(SNAPSHOT_BEFORE);
  });
}

/** Whether a plan's snapshot is encrypted is known when it is saved: with what is known now. */
export const SNAPSHOT_ENCRYPTED =
  "  encrypted where the newest one there is: with the passphrase that this run opens the authority's key with";

/** Made before any change of the list of members. */
export const SNAPSHOT_BEFORE: Change = {
  summary: 'save a snapshot of the cluster on this machine',
  diff: ['+ .provision/snapshots, beside the inventory', SNAPSHOT_ENCRYPTED],
  actions: [{ kind: 'save-snapshot', per: 'change' }],
  effect: 'create',
  disruptive: false,
};

/** The resources of a way, in the order in which they are done. */
export interface JoiningSteps {
  /** What is in the way is moved aside, the old entry taken out of etcd's list. */
  readonly leaving: readonly Resource[];
  /** A learner is added, started, and promoted when it has caught up. */
  readonly joining: readonly Resource[];
  /** The voter serves clients. */
  readonly open: Resource;
}

/**
 * All of a way to a new member. Give the host its files before `joining`: and where an entry is removed, after `leaving`, for
 * with an environment file and no data a member would start under the id of the one that is listed.
 */
export function joiningSteps(way: JoiningWay): JoiningSteps {
  const { cluster, member, peers } = way;
  const requestOf = ({ clusterId }: Replacement): MembershipRequest => ({ member, peers, clusterId });
  const step = (name: ReplacementStep, what: (replacement: Replacement) => Change) =>
    resourceOf(`member-${name}:${member.name}`, way, (replacement) =>
      replacement.steps.includes(name) ? changed(what(replacement)) : UNCHANGED,
    );
  return {
    leaving: [
      step('aside', () => asideChange(member)),
      step('remove', (found) => removeChange(requestOf(found), found)),
    ],
    joining: [
      step('add', (found) => addChange(requestOf(found), cluster.members.length)),
      resourceOf(`member-start:${member.name}`, way, (replacement, probe) =>
        startOutcome(requestOf(replacement), replacement, probe),
      ),
      step('promote', (found) => promoteChange(requestOf(found))),
    ],
    open: resourceOf(`member-open:${member.name}`, way, async ({ steps }, probe) =>
      steps.includes('open') ? changed(openChange(member, await votersOnceJoined(cluster, probe))) : UNCHANGED,
    ),
  };
}

/** Of those that are to leave only who has not left yet: the same number however many have joined. */
async function votersOnceJoined(cluster: Cluster, probe: Probe): Promise<number> {
  const { present } = await lookAtMembers(cluster, probe);
  return cluster.members.length + cluster.formerMembers.filter((member) => present.members.includes(member)).length;
}

function resourceOf(
  address: string,
  { decide }: JoiningWay,
  outcomeOf: (replacement: Replacement, probe: Probe) => Promise<Outcome> | Outcome,
): Resource {
  return { address, paths: [], plan: async (probe) => outcomeOf(await decide(probe), probe) };
}

function asideChange(member: Member): Change {
  const { dataDir } = member;
  return {
    summary: `move the data of a member that is gone aside: ${dataDir}/member`,
    diff: [`${dataDir}/member → ${dataDir}/member.replaced-TIME: kept, never deleted`],
    actions: [
      { kind: 'run', command: moveMemberAside(member), undo: { lasting: 'the data stays aside, under a dated name' } },
    ],
    effect: 'change',
    disruptive: false,
  };
}

function removeChange(request: MembershipRequest, { removed }: Replacement): Change {
  const { member } = request;
  if (removed === undefined) throw new Error('there is no entry to remove');
  return {
    summary: `remove ${member.name} from the list of members, by its id ${hex(removed.id)}`,
    diff: [
      `- ${described(removed)}`,
      `${member.host} has no etcd process and no data of it`,
      "from here on the old member can't come back: with its old data it ends by itself",
    ],
    actions: [
      { kind: 'await', gate: 'etcd-serves-without-batch', parameters: {} },
      { kind: 'await', gate: 'peers-take-writes', parameters: {} },
      {
        kind: 'run',
        command: removeMember(request, hex(removed.id)),
        undo: { lasting: 'the old member stays removed: run the same command again' },
      },
    ],
    effect: 'delete',
    disruptive: false,
  };
}

/** @param size of the inventory */
function addChange(request: MembershipRequest, size: number): Change {
  const { member } = request;
  return {
    summary: `add ${member.name} to the list of members, as a learner`,
    diff: [
      `+ ${member.name} (${peerUrlOf(member)}), without a vote until it has caught up`,
      // Of an odd number nothing is to be said that is not expected.
      ...(size % 2 === 0 ? [`with all of the inventory ${sizeRemark(size)}`] : []),
    ],
    actions: [
      { kind: 'await', gate: 'etcd-serves-without-batch', parameters: {} },
      {
        kind: 'run',
        command: addLearner(request),
        undo: { lasting: 'the learner stays listed; it has no vote: run the same command again' },
      },
    ],
    effect: 'create',
    disruptive: false,
  };
}

async function startOutcome(request: MembershipRequest, replacement: Replacement, probe: Probe): Promise<Outcome> {
  const { member } = request;
  const { steps, initialCluster } = replacement;
  if (!steps.includes('start')) return UNCHANGED;
  const unit = await probe.ask(unitState, member.unit);
  const started = decideService(member, { ...unit, active: false }, []);
  if (started.kind !== 'change') throw new Error(`${member.unit} would not be started`);
  return changed({
    summary: `start ${member.unit} (member ${member.name}) as a learner`,
    diff: [
      `initial cluster as etcd lists it then, now ${initialCluster}; state existing`,
      'until it is a voter it serves its own host only',
    ],
    actions: [
      {
        kind: 'run',
        command: allowJoin(request),
        undo: { lasting: 'the drop-in stays until the member is a voter' },
      },
      ...started.change.actions,
    ],
    effect: 'start',
    disruptive: false,
  });
}

function promoteChange(request: MembershipRequest): Change {
  const { member } = request;
  return {
    summary: `promote ${member.name} to a voter, once it has caught up`,
    diff: ['its own raft index is compared with that of the leader: started, and at most a few entries behind'],
    actions: [
      { kind: 'await', gate: 'etcd-learner-caught-up', parameters: {} },
      {
        kind: 'run',
        command: promoteLearner(request),
        undo: { lasting: 'it stays a member' },
      },
    ],
    effect: 'change',
    disruptive: false,
  };
}

function openChange(member: Member, voters: number): Change {
  const isOneOfTwo = voters === 2;
  return {
    summary: `restart ${member.unit} (member ${member.name}): it serves clients from now on`,
    diff: [
      `- ${JOIN_DROP_IN}`,
      ...(isOneOfTwo ? [`of two members both must agree: until ${member.name} has started, writes wait`] : []),
    ],
    actions: [
      { kind: 'await', gate: 'etcd-can-spare-batch', parameters: {} },
      { kind: 'run', command: endJoin(), undo: { lasting: 'it stays a member' } },
      ...restartMember(member),
    ],
    effect: 'restart',
    disruptive: isOneOfTwo,
  };
}
