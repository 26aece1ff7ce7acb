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
const MAX_RAFT_LAG = 1000;

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
}

/** The verdict on what all members said; where that is bad, on whether their own certificates explain it. */
export async function judgeMembers(asked: Asked, probe: GateInput['probe'], now: Date): Promise<GateAnswer> {
  const notes = unusualAnswers(asked);
  if (problemsOf(asked, new Map(), 'all').length === 0) return openWith(notes);
  const broken = await brokenCertificates(asked.cluster, probe, now);
  const excused = new Map([...broken].filter(([host]) => !asked.done.has(host)));
  const problems = problemsOf(asked, excused, canDecide(asked.cluster, excused) ? 'all' : 'no quorum');
  if (problems.length > 0) return shutFor(problems, asked);
  return openWith([...[...excused].map(([host, fault]) => `${host} ${fault}`), ...notes]);
}

function openWith(notes: readonly string[]): GateAnswer {
  return notes.length === 0 ? { open: true } : { open: true, note: notes.join('; ') };
}

function shutFor(problems: readonly Problem[], { answers, cluster }: Asked): GateAnswer {
  const sick = problems.find(({ host }) => host !== undefined)?.host;
  const [first] = membersHeard(answers);
  const next = sick === undefined ? askByHand(cluster, first?.host, 'member list') : memberJournal(cluster, sick);
  return { open: false, reason: problems.map(({ text }) => text).join('; '), next };
}

/** Do the members whose certificates are good make a quorum? */
function canDecide({ members }: Cluster, excused: ReadonlyMap<string, string>): boolean {
  return members.length - excused.size >= quorum(members.length);
}

/** What is wrong, with one member where it is one. */
interface Problem {
  readonly host?: string;
  readonly text: string;
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
    ...agreementProblems(steady, cluster).map((text) => ({ text })),
    ...raisedAlarms(heard).map((alarm) => ({
      text: `alarm ${alarm} is raised (etcdctl alarm disarm, once there is room)`,
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
  return [
    ...disagreement(
      'cluster id',
      heard.map(({ host, clusterId }) => [host, clusterId]),
    ),
    ...disagreement(
      'leader',
      heard.map(({ host, leaderId }) => [host, leaderId]),
    ),
    ...listDisagreement(heard),
    ...membershipProblems(heard, cluster),
  ];
}

/** Each alarm once. */
export function raisedAlarms(heard: readonly HeardMember[]): readonly string[] {
  return [...new Set(heard.flatMap((member) => member.alarms))];
}

/** What one member said, with its host. */
export type HeardMember = Extract<EtcdStatus, { kind: 'answers' }> & { readonly host: string };

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

function membershipProblems(heard: readonly HeardMember[], cluster: Cluster): readonly string[] {
  const [first] = heard;
  if (first === undefined) return [];
  const learners = first.members.filter((member) => member.isLearner).map((member) => member.name || member.id);
  const counted = first.members.length;
  return [
    ...(counted === cluster.members.length
      ? []
      : [`etcd lists ${counted} members, the inventory ${cluster.members.length}`]),
    ...learners.map((name) => `${name} is listed as a learner`),
  ];
}
