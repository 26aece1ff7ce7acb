import {
  believedLister,
  hex,
  isSame,
  listersOf,
  membershipDifference,
  saysTheSame,
  type HeardMember,
  type Listed,
} from '../facts/etcd-membership.js';
import { hasOwnData, quorum, type MemberState } from '../facts/etcd-phase.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import type { Cluster, Member } from '../model/cluster.js';
import { refuseDoubted } from './refuse-doubted.js';
import {
  foreignCluster,
  notEnoughToLeave,
  otherMembers,
  pendingChange,
  servesUnreached,
  sickOther,
} from './replacement-refusals.js';

/**
 * What may have to be done to have a member leave. `stop` before `remove` is the usual order: clients of the member are sent
 * elsewhere by a process that ends in order. `stop-after`: where one stays of two, both are needed to agree on the removal.
 */
export type LeavingStep = 'stop' | 'remove' | 'stop-after' | 'aside';

/** What is left to do; found from the hosts alone. */
export interface Removal {
  /** In this order. */
  readonly steps: readonly LeavingStep[];
  /** The entry of etcd's list that is taken out. */
  readonly removed: Listed | undefined;
  /** Whose list it is. */
  readonly clusterId?: string | undefined;
}

/** The host of a member that is to leave. */
export interface LeavingHost {
  readonly state: MemberState;
  /** What its own etcd says. */
  readonly own: EtcdStatus;
  /** A process of its unit runs, ready or not. */
  readonly isRunning: boolean;
  /** It starts at boot. */
  readonly isEnabled: boolean;
  /** Its configuration is ours, and names a member of this cluster; of a stacked member, which cluster its data is of. */
  readonly isOurs: boolean | { readonly clusterId: string | undefined };
}

/** A member that does not answer on its own host. */
export interface SilentMember {
  readonly host: string;
  readonly reason: string;
  /** Its host can be asked, and runs none: the role `etcd` starts it first. */
  readonly isStopped: boolean;
}

/** What the hosts said. */
export interface LeavingLook {
  /** Absent where the host can't be asked. */
  readonly here: LeavingHost | undefined;
  /** What others hear at its client URL, where its host can't be asked. */
  readonly elsewhere: EtcdStatus;
  /** The other members that the cluster has now and that answer to their own hosts; those that are to leave, too. */
  readonly others: readonly HeardMember[];
  readonly silent: readonly SilentMember[];
  /** What all that are to leave say on their own hosts, whoever lists them. */
  readonly former: readonly HeardMember[];
  /** Hosts of the group `etcd` that join before members leave. */
  readonly yetToJoin: readonly Member[];
}

const NOTHING: Removal = { steps: [], removed: undefined };

/**
 * Decides what is left to do to have a member leave that the inventory names as a former one.
 * @throws ProvisionError `quorum-at-risk`, `membership-differs`, `membership-pending`, `member-not-gone`, `foreign-etcd`
 */
export function decideRemoval(cluster: Cluster, member: Member, look: LeavingLook): Removal {
  const { here } = look;
  // Hosts that join do so before: what is then left is judged when it is, and the gate waits for them.
  const isLater = look.yetToJoin.length > 0;
  const alone = isLater && here?.own.kind === 'answers' ? { host: member.host, ...here.own } : undefined;
  const list = othersList(cluster, member, look) ?? alone;
  if (list === undefined) {
    // Who has nothing left needs nobody's word.
    if (here === undefined || leftover(here).length === 0) return NOTHING;
    throw notEnoughToLeave(member, { healthy: 0, needed: quorum(cluster.members.length), voters: 0 });
  }
  const own = here?.own.kind === 'answers' ? [{ host: member.host, ...here.own }] : [];
  const entries = list.members.filter((listed) => isSame(listed, member, own));
  const [entry, ...more] = entries;
  if (entry === undefined) {
    if (here === undefined) return NOTHING;
    refuseDoubted(member, look, list);
    return { ...NOTHING, steps: cleanUp(here, list.clusterId) };
  }
  if (more.length > 0)
    throw otherMembers(
      member,
      `etcd lists more than one member for it: ${entries.map(({ id }) => hex(id)).join(' and ')}`,
    );
  refuseUnsettled(cluster, member, { look, list, entry });
  if (!isLater) refuseBelowQuorum(cluster, member, { look, list, entry });
  if (here === undefined) {
    if (look.elsewhere.kind === 'answers') throw servesUnreached(member);
    return { steps: ['remove'], removed: entry, clusterId: list.clusterId };
  }
  if (here.own.kind === 'answers' && here.own.clusterId !== list.clusterId)
    throw foreignCluster(member, here.own.clusterId, list.clusterId);
  const [stop, aside] = [here.isRunning || here.isEnabled, hasOwnData(here.state)];
  return {
    steps: [
      ...(stop && !staysAlone(cluster) ? (['stop'] as const) : []),
      'remove',
      ...(stop && staysAlone(cluster) ? (['stop-after'] as const) : []),
      ...(aside ? (['aside'] as const) : []),
    ],
    removed: entry,
    clusterId: list.clusterId,
  };
}

/** One of those whose list counts. */
function othersList(cluster: Cluster, member: Member, { others }: LeavingLook): HeardMember | undefined {
  const [first, ...rest] = listersOf(others);
  const believed = believedLister(cluster, others);
  if (first === undefined || believed !== undefined) return believed;
  const differing = rest.find((each) => !saysTheSame(first, each)) ?? first;
  throw otherMembers(member, `${first.host} and ${differing.host} list different members`);
}

/** What a host has left of a member that is on no list any more. One that has become part of another cluster is let be. */
function cleanUp(here: LeavingHost, clusterId: string): readonly LeavingStep[] {
  const isOurs = typeof here.isOurs === 'boolean' ? here.isOurs : here.isOurs.clusterId === clusterId;
  if (!isOurs || (here.own.kind === 'answers' && here.own.clusterId !== clusterId)) return [];
  return leftover(here);
}

function leftover({ isRunning, isEnabled, state }: LeavingHost): readonly LeavingStep[] {
  return [
    ...(isRunning || isEnabled ? (['stop-after'] as const) : []),
    ...(hasOwnData(state) ? (['aside'] as const) : []),
  ];
}

/** What is known of the removal. */
interface Case {
  readonly look: LeavingLook;
  readonly list: HeardMember;
  /** Of the member that leaves. */
  readonly entry: Listed;
}

/** One change at a time, of a list that the inventory knows, while all that stay are healthy. */
function refuseUnsettled(cluster: Cluster, member: Member, { look, list, entry }: Case): void {
  const { members, formerMembers } = cluster;
  const difference = membershipDifference({ ...cluster, members: [...members, ...formerMembers] }, [list]);
  if (difference !== undefined && difference.strangers.length > 0)
    throw otherMembers(member, difference.text, difference.next);
  const later = [...look.yetToJoin, ...formerMembers];
  const pending = list.members.find(
    (listed) =>
      listed !== entry && (listed.isLearner || listed.name === '') && !later.some((each) => isSame(listed, each, [])),
  );
  if (pending !== undefined) throw pendingChange(member, pending);
  const stays = ({ host }: { readonly host: string }): boolean => !formerMembers.some((each) => each.host === host);
  const silent = look.silent.find((each) => stays(each) && !each.isStopped);
  if (silent !== undefined) throw sickOther(member, silent.host, `does not answer: ${silent.reason}`);
  const sick = look.others.find((each) => stays(each) && !each.isLearner && !isHealthy(each));
  if (sick !== undefined) throw sickOther(member, sick.host, 'is not healthy');
}

function isHealthy({ isHealthy: commits, leaderId }: HeardMember): boolean {
  return commits && leaderId !== '0';
}

/** The others must be a quorum while it is stopped, and the removal itself is agreed on by a quorum of all. */
function refuseBelowQuorum(cluster: Cluster, member: Member, { look, list, entry }: Case): void {
  const { here, silent, others } = look;
  // A former one that does not answer leaves first, and one that only has to be started is started first.
  const gone = cluster.formerMembers.filter(({ host }) => silent.some((each) => each.host === host));
  const started = silent.filter(({ host, isStopped }) => isStopped && !gone.some((each) => each.host === host));
  const voters = list.members.filter(
    (listed) => !listed.isLearner && !gone.some((each) => isSame(listed, each, [])),
  ).length;
  const ofIts = others.filter(({ clusterId }) => clusterId === list.clusterId);
  const healthy = ofIts.filter((each) => !each.isLearner && isHealthy(each)).length + started.length;
  const needed = quorum(voters);
  const left = entry.isLearner ? voters : voters - 1;
  const agrees = staysAlone(cluster) && here?.own.kind === 'answers' && here.own.isHealthy ? 1 : 0;
  if (healthy + agrees < needed || left < 1 || healthy < quorum(left))
    throw notEnoughToLeave(member, { healthy, needed, voters });
}

/** Of two voters both are needed to agree that one leaves. */
function staysAlone({ members }: Cluster): boolean {
  return members.length === 1;
}
