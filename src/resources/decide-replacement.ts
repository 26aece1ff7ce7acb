import {
  believedLister,
  described,
  hex,
  isSame,
  listersOf,
  membershipDifference,
  saysTheSame,
  type HeardMember,
  type Listed,
} from '../facts/etcd-membership.js';
import { hasDataSomewhere, hasOwnData, isUntouchedLoneMember, quorum, type MemberState } from '../facts/etcd-phase.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import type { Cluster, Member } from '../model/cluster.js';
import { peerUrlOf } from '../shell/join-member.js';
import {
  elsewhere,
  foreignCluster,
  hasData,
  notEnough,
  notGone,
  otherMembers,
  pendingChange,
  stillRuns,
  withoutItsAddress,
} from './replacement-refusals.js';

/** What may have to be done to replace a member, in this order. */
export type ReplacementStep = 'aside' | 'remove' | 'add' | 'start' | 'promote' | 'open';

/** What is left to do to have a member in place of one that is gone; found from the hosts alone. */
export interface Replacement {
  readonly steps: readonly ReplacementStep[];
  /** The entry of etcd's list that is taken out. */
  readonly removed: Listed | undefined;
  /** Whose list it is. */
  readonly clusterId?: string | undefined;
  /** All members after that, as `ETCD_INITIAL_CLUSTER` has them; sorted. */
  readonly initialCluster: string;
  /** What is there already, for a sentence; absent where nothing is. */
  readonly found: string | undefined;
}

/** What the hosts said. */
export interface ReplacementLook {
  readonly state: MemberState;
  /** What the host's own etcd says. */
  readonly own: EtcdStatus;
  /** A process of its unit runs, ready or not. */
  readonly isRunning: boolean;
  /** The host has the address that the inventory gives the member. */
  readonly hasAddress: boolean;
  /** The drop-in of a joining member is there. */
  readonly isJoining: boolean;
  /** The other members that the cluster has now. */
  readonly peers: readonly Member[];
  /** Those that answer to their own hosts. */
  readonly others: readonly HeardMember[];
  /** Ids of members that answer other hosts at the member's client URL. */
  readonly answering: readonly string[];
  /** Where etcd lists the member at another address, and one answers the others there. */
  readonly stillAt?: { readonly url: string; readonly ids: readonly string[] } | undefined;
}

/**
 * Decides what is left to do. A member is replaced only where its host shows that it is gone: no process, no data. That it
 * does not answer is no reason.
 * @throws ProvisionError `quorum-at-risk`, `membership-differs`, `membership-pending`, `member-not-gone`,
 * `member-has-data`, `foreign-etcd`
 */
export function decideReplacement(cluster: Cluster, member: Member, look: ReplacementLook): Replacement {
  const { own, state } = look;
  const list = othersList(cluster, member, look);
  const entry = entryOf(member, list, look);
  const initialCluster = initialClusterOf(member, list.rest);
  if (entry !== undefined && own.kind === 'answers' && own.memberId === entry.id && own.clusterId === list.clusterId) {
    const steps: readonly ReplacementStep[] = [
      ...(entry.isLearner ? (['promote'] as const) : []),
      ...(look.isJoining ? (['open'] as const) : []),
    ];
    return {
      steps,
      removed: undefined,
      clusterId: list.clusterId,
      initialCluster,
      found: `${member.host} answers as ${described(entry)}`,
    };
  }
  refuseLiving(member, look, list.clusterId);
  const isVoter = entry !== undefined && !entry.isLearner;
  if (isVoter && hasDataSomewhere(state)) throw hasData({ ...member, dataDir: state.keptIn ?? member.dataDir }, entry);
  refuseBelowQuorum(member, entry, list);
  // A learner that never started is begun again under its id. Any other id is not used twice: etcd#21178.
  const isFresh = entry?.isLearner === true && entry.name === '' && !hasOwnData(state);
  return {
    steps: [
      ...(state.hasData ? (['aside'] as const) : []),
      ...(entry !== undefined && !isFresh ? (['remove'] as const) : []),
      ...(isFresh ? [] : (['add'] as const)),
      ...(['start', 'promote', 'open'] as const),
    ],
    removed: isFresh ? undefined : entry,
    clusterId: list.clusterId,
    initialCluster,
    found: undefined,
  };
}

/** What the others agree on. */
interface OthersList {
  readonly clusterId: string;
  readonly listed: readonly Listed[];
  /** But for the entries of the member itself. */
  readonly rest: readonly Listed[];
  /** Other members that are healthy voters. */
  readonly healthy: number;
}

function othersList(cluster: Cluster, member: Member, { others, own }: ReplacementLook): OthersList {
  const first = believedLister(cluster, others);
  if (first === undefined) {
    const [one, ...rest] = listersOf(others);
    if (one === undefined) throw notEnough(member, { healthy: 0, needed: quorum(cluster.members.length), voters: 0 });
    const differing = rest.find((each) => !saysTheSame(one, each)) ?? one;
    throw otherMembers(member, `${one.host} and ${differing.host} list different members`);
  }
  const healthy = others.filter((each) => each.clusterId === first.clusterId && isHealthyVoter(each));
  const ownId = own.kind === 'answers' ? [{ host: member.host, ...own }] : [];
  const rest = first.members.filter((listed) => !isSame(listed, member, ownId));
  const peers = { ...cluster, members: cluster.members.filter(({ host }) => host !== member.host) };
  const difference = membershipDifference(peers, [{ ...first, members: rest }]);
  if (difference !== undefined) throw otherMembers(member, difference.text, difference.next);
  const pending = rest.find(({ isLearner, name }) => isLearner || name === '');
  if (pending !== undefined) throw pendingChange(member, pending);
  return { clusterId: first.clusterId, listed: first.members, rest, healthy: healthy.length };
}

function isHealthyVoter({ isHealthy, isLearner, leaderId }: HeardMember): boolean {
  return isHealthy && !isLearner && leaderId !== '0';
}

function entryOf(member: Member, { listed, rest }: OthersList, look: ReplacementLook): Listed | undefined {
  const entries = listed.filter((each) => !rest.includes(each));
  const { own } = look;
  const [first, ...more] = entries;
  if (more.length === 0) return first;
  const answering = entries.find(({ id }) => own.kind === 'answers' && own.memberId === id);
  if (answering !== undefined && entries.every(({ isLearner }) => !isLearner)) return answering;
  throw otherMembers(member, `etcd lists more than one member for it: ${entries.map(described).join(' and ')}`);
}

function refuseLiving(member: Member, look: ReplacementLook, clusterId: string): void {
  const { own, state, isRunning, hasAddress, answering } = look;
  if (own.kind === 'answers' && own.clusterId !== clusterId) throw foreignCluster(member, own.clusterId, clusterId);
  // One that answers and is not on the list was removed; the one that a package started alone is nobody's.
  const isNobody = own.kind === 'answers' || isUntouchedLoneMember(state);
  if (isRunning && !isNobody) throw notGone(member, own);
  if (!isRunning && answering.length > 0) throw elsewhere(member, answering.map(hex));
  if (!hasAddress) throw withoutItsAddress(member);
  if (look.stillAt !== undefined) throw stillRuns(member, look.stillAt.url, look.stillAt.ids.map(hex));
}

function refuseBelowQuorum(
  member: Member,
  entry: Listed | undefined,
  { listed, healthy }: Pick<OthersList, 'listed' | 'healthy'>,
): void {
  // While it is a voter it counts: its removal, too, is agreed on by a quorum of all.
  const voters = listed.filter(({ isLearner }) => !isLearner).length;
  const needed = quorum(voters);
  if (healthy < needed) throw notEnough(member, { healthy, needed, voters });
  const left = entry !== undefined && !entry.isLearner ? voters - 1 : voters;
  if (left < 1) throw notEnough(member, { healthy, needed, voters });
}

/** Etcd's own form; every peer URL, sorted, so that it is the same in every run. */
function initialClusterOf(member: Member, rest: readonly Listed[]): string {
  return [
    ...rest.flatMap(({ name, peerUrls }) => peerUrls.map((url) => `${name}=${url}`)),
    `${member.name}=${peerUrlOf(member)}`,
  ]
    .toSorted()
    .join(',');
}
