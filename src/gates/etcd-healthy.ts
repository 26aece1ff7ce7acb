import { clusterPhase, lookAtMembers, type ClusterPhase } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import type { Cluster } from '../model/cluster.js';
import type { Gate, GateAnswer, GateInput } from '../model/gate.js';
import { journalByHand } from '../shell/by-hand.js';
import { etcdctlByHand } from '../shell/etcdctl.js';

/**
 * How far a healthy follower may be behind. etcd sends followers a snapshot only when they are more than 5000 entries
 * behind (`SnapshotCatchUpEntries`, etcd server.go), and members are asked at slightly different times.
 */
const MAX_RAFT_LAG = 1000;

/** A member restarts in seconds; a follower that must catch up from a snapshot may take minutes. */
const DEADLINE_MS = 180_000;

/** What one member said, by the name of its host. */
type MemberAnswers = ReadonlyMap<string, EtcdStatus>;

/** After a batch: every member is healthy, and all agree. */
export function etcdHealthy(cluster: Cluster): Gate {
  return {
    name: 'etcd-healthy',
    deadlineMs: DEADLINE_MS,
    async check({ probe }) {
      const [states, answers] = await lookAtAll(cluster, probe);
      // etcd answers a moment before systemd has noted that it is started.
      const late = states.filter((state) => !state.isRunning);
      const answer = judgeMembers(answers, cluster, new Set());
      const [first] = late;
      if (first === undefined) return answer;
      const reasons = late.map((state) => `etcd is not started on ${state.host}`);
      const next = memberJournal(cluster, first.host);
      return { open: false, reason: [...reasons, ...(answer.open ? [] : [answer.reason])].join('; '), next };
    },
  };
}

/**
 * Before a batch: the cluster stands without it. Every member outside the batch is healthy and all that answer agree;
 * a member of the batch may be down already. Where no quorum runs there is nothing to protect, and it says so.
 */
export function etcdCanSpareBatch(cluster: Cluster): Gate {
  return {
    name: 'etcd-can-spare-batch',
    deadlineMs: DEADLINE_MS,
    async check({ probe, batch: hosts }) {
      const [states, answers] = await lookAtAll(cluster, probe);
      const phase = clusterPhase(states);
      if (phase !== 'serving') return { open: true, note: NOTHING_TO_PROTECT[phase] };
      const batch = new Set(hosts);
      const down = states.filter((state) => batch.has(state.host) && !state.isRunning);
      return judgeMembers(answers, cluster, new Set(down.map((state) => state.host)));
    },
  };
}

const NOTHING_TO_PROTECT: Readonly<Record<Exclude<ClusterPhase, 'serving'>, string>> = {
  absent: 'there is no etcd cluster yet',
  forming: 'the first start of the etcd cluster was cut off, and goes on now',
  down: 'fewer than a quorum of the etcd members run: there is nothing left to protect',
};

async function lookAtAll(
  cluster: Cluster,
  probe: GateInput['probe'],
): Promise<readonly [Awaited<ReturnType<typeof lookAtMembers>>, MemberAnswers]> {
  return Promise.all([lookAtMembers(cluster, probe(cluster.members[0]?.host ?? '')), askMembers(cluster, probe)]);
}

async function askMembers(cluster: Cluster, probe: GateInput['probe']): Promise<MemberAnswers> {
  const answers = await Promise.all(
    cluster.members.map(
      async (member) => [member.host, await probe(member.host).ask(etcdStatus, etcdStatusKey(member))] as const,
    ),
  );
  return new Map(answers);
}

/** What the member on a host said last. */
export function memberJournal({ members }: Cluster, host: string): string {
  return journalByHand(host, members.find((member) => member.host === host)?.unit ?? 'etcd');
}

/**
 * The verdict on what all members said.
 * @param spared hosts that need not answer
 */
function judgeMembers(answers: MemberAnswers, cluster: Cluster, spared: ReadonlySet<string>): GateAnswer {
  const silent = [...answers].flatMap(([host, status]) =>
    status.kind === 'silent' && !spared.has(host)
      ? [{ host, problem: `${host} does not answer: ${status.reason}` }]
      : [],
  );
  const heard = membersHeard(answers);
  const own = ownProblems(heard);
  const problems = [
    ...silent.map(({ problem }) => problem),
    ...[...own.values()].flat(),
    ...agreementProblems(heard, cluster),
    ...raisedAlarms(heard).map((alarm) => `alarm ${alarm} is raised (etcdctl alarm disarm, once there is room)`),
  ];
  if (problems.length === 0) return { open: true };
  const [sick = silent[0]?.host] = own.keys();
  const next = sick === undefined ? askByHand(cluster, heard[0]?.host, 'member list') : memberJournal(cluster, sick);
  return { open: false, reason: problems.join('; '), next };
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
