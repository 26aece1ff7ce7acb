import type { Cluster, Member } from '../model/cluster.js';
import { memberUrls } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { etcdData, etcdDataKey, type EtcdData } from './etcd-data.js';
import { believedLister, isSame, type HeardMember, type Listed } from './etcd-membership.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from './etcd-status.js';
import { etcdPod, etcdPodKey } from './etcd-pod.js';
import { unitState } from './unit-state.js';
import { unlessLost } from './unless-lost.js';

/** One member as its host shows it. */
export interface MemberState extends EtcdData {
  /** Inventory name of the host. */
  readonly host: string;
  readonly isRunning: boolean;
}

/** A member whose host can't be asked. */
export interface AwayMember {
  /** Inventory name of the host. */
  readonly host: string;
  /** Why it can't be asked. */
  readonly error: RemoteError;
  /** What the member tells others that ask it at its own URL: it may serve while nobody can log in on its host. */
  readonly status: EtcdStatus;
}

/** All members as the running cluster has them, by whether their hosts can be asked. */
export interface MembersSeen {
  readonly states: readonly MemberState[];
  readonly away: readonly AwayMember[];
  /** Hosts of the inventory that are no voters of the running cluster yet, as {@link isYetToJoin} has it; they count for no quorum. */
  readonly joining: readonly MemberState[];
  /** Their members, also where a host can't be asked; those that are learners already first. */
  readonly yetToJoin: readonly Member[];
  /** The cluster with the members that it has now: without those that are to join, with those that are to leave. */
  readonly present: Cluster;
}

/**
 * How far the cluster as a whole is.
 * - `absent`: no member has data.
 * - `forming`: its bootstrap was interrupted: some members have data, all of those began as bootstrapping ones.
 * - `down`: it exists, but fewer than a quorum of its members run.
 * - `serving`: it exists, and a quorum runs.
 * - `unsure`: whether it exists is unknown: a host is unreachable.
 */
export type ClusterPhase = 'absent' | 'forming' | 'down' | 'serving' | 'unsure';

/**
 * Looks at every member of the cluster, and at those that are to leave it; one whose host can't be asked is asked by the hosts
 * of others.
 */
export async function lookAtMembers(cluster: Cluster, probe: Probe): Promise<MembersSeen> {
  const looks = await Promise.all(
    [...cluster.members, ...cluster.formerMembers].map(async (member) => {
      // At once: what is asked in one turn travels in one exec.
      const [seen, status] = await Promise.all([
        unlessLost(lookAtMember(member, probe)),
        unlessLost(probe.on(member.host).ask(etcdStatus, etcdStatusKey(member))),
      ]);
      return { member, seen, status };
    }),
  );
  const heard = looks.flatMap(({ member, status }) =>
    status instanceof RemoteError || status.kind === 'silent' ? [] : [{ host: member.host, ...status }],
  );
  const isIn = presence(cluster, heard);
  const counted = looks.filter(({ member, seen }) => isIn(member, seen));
  const askers = looks.filter(({ seen }) => !(seen instanceof RemoteError)).map(({ member }) => member);
  const away = counted.flatMap(({ member, seen }) =>
    seen instanceof RemoteError ? [askFromElsewhere(member, seen, askers, probe)] : [],
  );
  const joining = looks.filter((each) => !counted.includes(each) && !cluster.formerMembers.includes(each.member));
  const statesOf = (some: typeof looks): readonly MemberState[] =>
    some.flatMap(({ seen }) => (seen instanceof RemoteError ? [] : [seen]));
  return {
    states: statesOf(counted),
    away: await Promise.all(away),
    joining: statesOf(joining),
    yetToJoin: learnersFirst(
      joining.map(({ member }) => member),
      believedLister(cluster, heard),
    ),
    present: { ...cluster, members: counted.map(({ member }) => member), formerMembers: [] },
  };
}

type Seen = MemberState | RemoteError;

/**
 * Who of the inventory is a member now, by etcd's own list; where it is not known, or not agreed on, as the inventory says. A
 * former one then counts unless its host shows that it has left.
 */
function presence(cluster: Cluster, heard: readonly HeardMember[]): (member: Member, seen: Seen) => boolean {
  const lister = believedLister(cluster, heard);
  return (member, seen) => {
    const entry = lister?.members.find((listed) => isSame(listed, member, heard));
    // Who has data, and is not listed, was removed by someone: that is not ours to go on with.
    const hasData = !(seen instanceof RemoteError) && hasOwnData(seen);
    if (cluster.formerMembers.includes(member))
      return lister === undefined ? hasData || seen instanceof RemoteError : entry !== undefined;
    return lister === undefined || !isYetToJoin(cluster, entry, hasData);
  };
}

/**
 * Whether a host of the group `etcd` is to join the running cluster: it is bare and not listed, or is listed as a learner. An
 * adopted cluster gets its members by others.
 */
function isYetToJoin({ isManaged }: Cluster, entry: Listed | undefined, hasData: boolean): boolean {
  return isManaged && (entry === undefined ? !hasData : entry.isLearner);
}

function learnersFirst(members: readonly Member[], lister: HeardMember | undefined): readonly Member[] {
  const rank = (member: Member): number =>
    lister?.members.some((listed) => listed.isLearner && isSame(listed, member, [])) === true ? 0 : 1;
  return members.toSorted((a, b) => rank(a) - rank(b));
}

/** Data of a member, and not what the package left when it started etcd itself. */
export function hasOwnData(state: EtcdData): boolean {
  return state.hasData && !isUntouchedLoneMember(state);
}

/** The same, also where its data is in another place than the inventory says: its cluster is there. */
export function hasDataSomewhere(state: EtcdData): boolean {
  return hasOwnData(state) || state.keptIn !== undefined;
}

async function lookAtMember(member: Member, probe: Probe): Promise<MemberState> {
  const there = probe.on(member.host);
  const [data, isRunning] = await Promise.all([there.ask(etcdData, etcdDataKey(member)), isStarted(member, there)]);
  return { host: member.host, isRunning, ...data };
}

async function isStarted({ unit, manifest, dataDir }: Member, there: Probe): Promise<boolean> {
  if (manifest !== undefined) return (await there.ask(etcdPod, etcdPodKey({ manifest, dataDir }))).isRunning;
  return (await there.ask(unitState, unit)).active;
}

/** Two, so that the answer is no single host's. */
const ASKERS = 2;

async function askFromElsewhere(
  member: Member,
  error: RemoteError,
  askers: readonly Member[],
  probe: Probe,
): Promise<AwayMember> {
  const [clientUrl = ''] = memberUrls([member]);
  const answers = await Promise.all(
    askers
      .slice(0, ASKERS)
      .map(async ({ host, client }) =>
        unlessLost(probe.on(host).ask(etcdStatus, etcdStatusKey({ clientUrl, client }))),
      ),
  );
  const heard = answers.flatMap((answer) =>
    answer instanceof RemoteError || answer.kind === 'silent' ? [] : [answer],
  );
  const isHeard = heard.length > 0 && heard.length === answers.length;
  const [status] = heard;
  const silent = { kind: 'silent', reason: `its host can't be asked (${error.message})` } as const;
  return { host: member.host, error, status: isHeard && status !== undefined ? status : silent };
}

/** The phase that these members are in. */
export function clusterPhase({ states, away }: Pick<MembersSeen, 'states' | 'away'>): ClusterPhase {
  const withData = states.filter(hasDataSomewhere);
  const answering = away.filter(({ status }) => status.kind === 'answers').length;
  const isKnown = away.length === 0;
  if (withData.length + answering === 0) return isKnown ? 'absent' : 'unsure';
  if (withData.length < states.length && withData.every((member) => member.isBootstrapping) && answering === 0)
    return isKnown ? 'forming' : 'unsure';
  const running = withData.filter((member) => member.isRunning).length + answering;
  return running < quorum(states.length + away.length) ? 'down' : 'serving';
}

/** How many voters must agree. */
export function quorum(members: number): number {
  return Math.floor(members / 2) + 1;
}

/**
 * Data that the start by the package itself made: one member, known to nobody but itself, never written to. Anything
 * that is not provably that is someone's data.
 */
export function isUntouchedLoneMember({ hasData, isConfigured, isBootstrapping, lone }: EtcdData): boolean {
  if (!hasData || isConfigured || isBootstrapping || lone === undefined) return false;
  const isLocal = lone.peerUrls.every((url) => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(url));
  return lone.revision === 1 && lone.members === 1 && isLocal;
}
