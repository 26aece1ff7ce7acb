import { listersOf, membershipDifference, type HeardMember } from '../facts/etcd-membership.js';
import { quorum } from '../facts/etcd-phase.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import type { Cluster } from '../model/cluster.js';
import type { GateAnswer, GateInput } from '../model/gate.js';
import { journalByHand } from '../shell/by-hand.js';
import { etcdctlByHand } from '../shell/etcdctl.js';
import { brokenCertificates } from './broken-certificates.js';

/**
 * How far a healthy follower may be behind. etcd sends followers a snapshot only when they are more than 5000 entries
 * behind (`SnapshotCatchUpEntries`, etcd server.go), and members are asked at slightly different times.
 */
export const MAX_RAFT_LAG = 1000;

/** What makes room, and disarms the alarm. */
const MAKE_ROOM = 'provision defrag INVENTORY';

/** What makes a voter of a learner that the inventory names. */
const FINISH_JOINING = 'provision apply INVENTORY';

/** What one member said, by the name of its host. */
export type MemberAnswers = ReadonlyMap<string, EtcdStatus>;

/** What the member on a host said last. */
export function memberJournal({ members }: Cluster, host: string): string {
  return journalByHand(host, members.find((member) => member.host === host)?.unit ?? 'etcd');
}

/** What is judged, and by what. */
interface Asked {
  readonly answers: MemberAnswers;
  readonly cluster: Cluster;
  /** Hosts whose members are down, and may be. */
  readonly down: ReadonlySet<string>;
  /** Hosts that the work is done on: their members must answer as usual. */
  readonly done: ReadonlySet<string>;
  /** Hosts that can't be asked; what others hear of their members is in `answers`. */
  readonly away: ReadonlySet<string>;
  /** Hosts whose members are about to be restarted. */
  readonly taken: ReadonlySet<string>;
}

/** The verdict on what all members said; where that is bad, on whether their own certificates explain it. */
export async function judgeMembers(given: Asked, probe: GateInput['probe'], now: Date): Promise<GateAnswer> {
  const missing = [...given.away].filter((host) => given.answers.get(host)?.kind === 'silent' && !given.down.has(host));
  const left = stillServing(given);
  if (missing.length > 0 && left < quorum(given.cluster.members.length)) return tooFew(given, missing, left);
  const asked = { ...given, down: new Set([...given.down, ...missing]) };
  const notes = [...missing.map((host) => `${host} can't be asked, and is left out`), ...unusualAnswers(asked)];
  if (problemsOf(asked, new Map(), 'all').length === 0) return openWith(notes);
  const broken = await brokenCertificates(asked.cluster, probe, now);
  const excused = new Map([...broken].filter(([host]) => !asked.done.has(host)));
  const problems = problemsOf(asked, excused, canDecide(asked.cluster, excused) ? 'all' : 'no quorum');
  if (problems.length > 0) return shutFor(problems, asked);
  return openWith([...[...excused].map(([host, fault]) => `${host} ${fault}`), ...notes]);
}

/** How many members are healthy, and stay healthy while those of the batch are restarted. */
function stillServing({ answers, taken, down }: Asked): number {
  const heard = membersHeard(answers);
  const sick = ownProblems(heard);
  return heard.filter(({ host }) => !sick.has(host) && !(taken.has(host) && !down.has(host))).length;
}

/** A host that can't be asked is waited for as long as any host; it may be on its way back. */
function tooFew({ cluster, taken, answers }: Asked, missing: readonly string[], left: number): GateAnswer {
  const { length: all } = cluster.members;
  const meanwhile = taken.size === 0 ? 'serve' : `would serve while ${[...taken].join(', ')} restarts`;
  const reasons = missing.map((host) => {
    const status = answers.get(host);
    return `${host} does not answer: ${status?.kind === 'silent' ? status.reason : ''}`;
  });
  return {
    open: false,
    reason: `${left} of ${all} etcd members ${meanwhile}, fewer than a quorum of ${quorum(all)}; ${reasons.join('; ')}`,
    next: `ssh ${missing[0] ?? ''} true`,
    isAway: true,
  };
}

function openWith(notes: readonly string[]): GateAnswer {
  return notes.length === 0 ? { open: true } : { open: true, note: notes.join('; ') };
}

function shutFor(problems: readonly Problem[], { answers, cluster }: Asked): GateAnswer {
  const final = problems.find(({ isFinal }) => isFinal === true);
  const sick = problems.find(({ host }) => host !== undefined)?.host;
  const [first] = membersHeard(answers);
  const usual = sick === undefined ? askByHand(cluster, first?.host, 'member list') : memberJournal(cluster, sick);
  const reason = problems.map(({ text }) => text).join('; ');
  return { open: false, reason, next: final?.next ?? usual, ...(final === undefined ? {} : { isFinal: true }) };
}

/** Do the members whose certificates are good make a quorum? */
function canDecide({ members }: Cluster, excused: ReadonlyMap<string, string>): boolean {
  return members.length - excused.size >= quorum(members.length);
}

/** What is wrong, with one member where it is one. */
interface Problem {
  readonly host?: string;
  readonly text: string;
  /** Waiting does not change it. */
  readonly isFinal?: boolean;
  /** What to do about it, where that is not what is usual. */
  readonly next?: string | undefined;
}

/**
 * @param excused hosts whose members cannot be as they should be
 * @param expected `no quorum`: the others are too few to decide anything; only what is wrong beside that counts
 */
function problemsOf(
  { answers, cluster, down, done }: Asked,
  excused: ReadonlyMap<string, string>,
  expected: 'all' | 'no quorum',
): readonly Problem[] {
  const silent = [...answers].flatMap(([host, status]) =>
    status.kind === 'silent' && !down.has(host) && !excused.has(host)
      ? [{ host, text: `${host} does not answer: ${status.reason}` }]
      : [],
  );
  const heard = membersHeard(answers);
  const steady = heard.filter(({ host }) => !excused.has(host));
  const own = [...ownProblems(steady)].flatMap(([host, texts]) => texts.map((text) => ({ host, text })));
  return [
    // Without a quorum etcd 3.5 does not even list its members.
    ...(expected === 'all' ? [...silent, ...own] : []),
    ...agreementFaults(steady, cluster),
    ...raisedAlarms(heard).map((alarm) => ({
      text: `alarm ${alarm} is raised`,
      isFinal: true,
      ...(alarm === 'NOSPACE' ? { next: MAKE_ROOM } : {}),
    })),
    ...steady.flatMap(({ host, usualFailure }) =>
      done.has(host) && usualFailure !== undefined
        ? [{ host, text: `${host} does not answer to its own client certificate: ${usualFailure}` }]
        : [],
    ),
  ];
}

/** Members that were asked in another way than usual. */
function unusualAnswers({ answers, done }: Asked): readonly string[] {
  return membersHeard(answers).flatMap(({ host, usualFailure }) =>
    usualFailure === undefined || done.has(host) ? [] : [`${host} answers, but not as usual: ${usualFailure}`],
  );
}

/** An etcdctl command to type. @param host the member that is asked; else the first of the inventory */
export function askByHand({ members }: Cluster, host: string | undefined, words: string): string {
  const member = members.find((each) => each.host === host) ?? members[0];
  return member === undefined ? `etcdctl ${words}` : etcdctlByHand(member, words);
}

/**
 * What a member says, but for the alarm NOSPACE. etcdctl from 3.5 on calls a member unhealthy for any alarm: that one knows a leader is
 * then what is left of its health.
 */
export function withoutNospace(status: EtcdStatus): EtcdStatus {
  if (status.kind === 'silent' || !status.alarms.includes('NOSPACE')) return status;
  const alarms = status.alarms.filter((alarm) => alarm !== 'NOSPACE');
  return { ...status, alarms, isHealthy: status.isHealthy || (alarms.length === 0 && status.leaderId !== '0') };
}

/** The members that answered. */
export function membersHeard(answers: MemberAnswers): readonly HeardMember[] {
  return [...answers].flatMap(([host, status]) => (status.kind === 'answers' ? [{ host, ...status }] : []));
}

/** What is wrong with single members, by host; only hosts with a problem are listed. */
export function ownProblems(heard: readonly HeardMember[]): ReadonlyMap<string, readonly string[]> {
  const newest = Math.max(0, ...heard.map((member) => member.raftIndex));
  const all = heard.map((member) => {
    const { host, raftIndex } = member;
    const problems = [
      ...(member.isHealthy ? [] : [`${host} cannot commit a proposal`]),
      ...(member.isLearner ? [`${host} is a learner`] : []),
      ...(member.leaderId === '0' ? [`${host} knows no leader`] : []),
      ...(newest - raftIndex > MAX_RAFT_LAG ? [`${host} is ${newest - raftIndex} raft entries behind`] : []),
    ];
    return [host, problems] as const;
  });
  return new Map(all.filter(([, problems]) => problems.length > 0));
}

/** What members do not agree on, with each other or with the inventory. */
export function agreementProblems(heard: readonly HeardMember[], cluster: Cluster): readonly string[] {
  return agreementFaults(heard, cluster).map(({ text }) => text);
}

function agreementFaults(heard: readonly HeardMember[], cluster: Cluster): readonly Problem[] {
  const clusters = heard.map(({ host, clusterId }) => [host, clusterId] as const);
  const leaders = heard.map(({ host, leaderId }) => [host, leaderId] as const);
  const listers = listersOf(heard);
  return [
    ...disagreement('cluster id', clusters).map((text) => ({ text, isFinal: true })),
    ...disagreement('leader', leaders).map((text) => ({ text })),
    ...listDisagreement(listers).map((text) => ({ text })),
    ...membershipFaults(listers, cluster),
  ];
}

/** Each alarm once. */
export function raisedAlarms(heard: readonly HeardMember[]): readonly string[] {
  return [...new Set(heard.flatMap((member) => member.alarms))];
}

function disagreement(what: string, values: readonly (readonly [string, string])[]): readonly string[] {
  if (new Set(values.map(([, value]) => value)).size <= 1) return [];
  return [`members disagree on the ${what}: ${values.map(([host, value]) => `${host} says ${value}`).join(', ')}`];
}

/** By ids and parts: a name comes late, and the order is nobody's. */
function listDisagreement(heard: readonly HeardMember[]): readonly string[] {
  const listOf = ({ members }: HeardMember): string =>
    members
      .map(({ id, isLearner }) => `${id}${isLearner ? ' (learner)' : ''}`)
      .sort()
      .join(' + ');
  if (new Set(heard.map(listOf)).size <= 1) return [];
  const named = (member: HeardMember): string =>
    member.members
      .map(({ id, name, isLearner }) => `${name || '?'} (${id}${isLearner ? ', learner' : ''})`)
      .join(' + ');
  const all = heard.map((member) => `${member.host} says ${named(member) || 'none'}`);
  return [`members disagree on the list of members: ${all.join(', ')}`];
}

/** Who is a member changes by someone's hand only. */
function membershipFaults(heard: readonly HeardMember[], cluster: Cluster): readonly Problem[] {
  const [first] = heard;
  if (first === undefined) return [];
  const difference = membershipDifference(cluster, heard);
  const learners = first.members.filter((member) => member.isLearner).map((member) => member.name || member.id);
  return [
    ...(difference === undefined ? [] : [{ ...difference, isFinal: true }]),
    ...learners.map((name) => ({
      text: `${name} is listed as a learner`,
      isFinal: true,
      ...(cluster.isManaged ? { next: FINISH_JOINING } : {}),
    })),
  ];
}
