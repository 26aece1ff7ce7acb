import { clusterPhase, quorum, type AwayMember, type ClusterPhase } from '../facts/etcd-phase.js';
import type { Cluster } from '../model/cluster.js';
import type { Gate, GateAnswer } from '../model/gate.js';
import { lookAtPresent } from './ask-members.js';
import { judgeMembers, memberJournal, withoutNospace, type MemberAnswers } from './judge-members.js';

/** A member restarts in seconds; a follower that must catch up from a snapshot may take minutes. */
const DEADLINE_MS = 180_000;

/**
 * After a batch: every member is healthy, and all agree. Those of the batch answer to their own host's client certificate,
 * and are verified. What the broken certificates of others bring about is noted, not held against this batch.
 */
export function etcdHealthy(cluster: Cluster, now: () => Date): Gate {
  return healthGate('etcd-healthy', { cluster, now, taken: (answers) => answers });
}

/** The same while the alarm NOSPACE is raised: that is then what is being repaired. Every other alarm keeps it closed. */
export function etcdHealthyButForSpace(cluster: Cluster, now: () => Date): Gate {
  return healthGate('etcd-healthy-but-for-space', {
    ...{ cluster, now },
    taken: (answers) => new Map([...answers].map(([host, status]) => [host, withoutNospace(status)])),
  });
}

/**
 * The same while members are stopped, and the others are a quorum: what was changed stops no member. One whose process runs must be
 * healthy all the same.
 */
export function etcdHealthyButForStopped(cluster: Cluster, now: () => Date): Gate {
  const stopped = 'left-out';
  return healthGate('etcd-healthy-but-for-stopped', { cluster, now, stopped, taken: (answers) => answers });
}

/** What a health gate judges. */
interface HealthGate {
  readonly cluster: Cluster;
  readonly now: () => Date;
  /** What the members said, as it is judged. */
  readonly taken: (answers: MemberAnswers) => MemberAnswers;
  /** What a member is that has no process. */
  readonly stopped?: 'wrong' | 'left-out';
}

function healthGate(name: string, { cluster, now, taken, stopped = 'wrong' }: HealthGate): Gate {
  return {
    name,
    deadlineMs: DEADLINE_MS,
    async check({ probe, when, batch }) {
      const [seen, said] = await lookAtPresent(cluster, probe);
      const answers = taken(said);
      // etcd answers a moment before systemd has noted that it is started.
      const notRunning = seen.states.filter((state) => !state.isRunning);
      const all = seen.present.members.length;
      const isLeftOut = stopped === 'left-out' && all - notRunning.length >= quorum(all);
      const [late, down] = isLeftOut ? [[], notRunning] : [notRunning, []];
      const done = new Set(when === 'after' ? batch : []);
      const gone = seen.away.find(({ host }) => done.has(host));
      if (gone !== undefined) throw gone.error;
      const asked = {
        answers,
        cluster: seen.present,
        done,
        down: hostsOf(down),
        away: hostsOf(seen.away),
        taken: new Set<string>(),
      };
      const answer = withStopped(await judgeMembers(asked, probe, now()), down);
      const [first] = late;
      if (first === undefined) return answer;
      const reasons = late.map((state) => `etcd is not started on ${state.host}`);
      const shut = answer.open
        ? { open: false as const, reason: '', next: memberJournal(cluster, first.host) }
        : answer;
      return { ...shut, reason: [...reasons, ...(answer.open ? [] : [answer.reason])].join('; ') };
    },
  };
}

function withStopped(answer: GateAnswer, down: readonly { readonly host: string }[]): GateAnswer {
  if (!answer.open || down.length === 0) return answer;
  const note = `left out, as etcd is stopped there: ${down.map(({ host }) => host).join(', ')}`;
  return { open: true, note: [answer.note, note].filter(Boolean).join('; ') };
}

/**
 * Before a batch: the cluster stands without it. Every member outside the batch is healthy and all that answer agree;
 * a member of the batch may be down already. Where no quorum runs there is nothing to protect, and it says so.
 */
export function etcdCanSpareBatch(cluster: Cluster, now: () => Date): Gate {
  return {
    name: 'etcd-can-spare-batch',
    deadlineMs: DEADLINE_MS,
    async check({ probe, batch }) {
      const [seen, answers] = await lookAtPresent(cluster, probe);
      const phase = clusterPhase(seen);
      if (phase === 'unsure') return unsure(seen.away);
      if (phase !== 'serving') return { open: true, note: NOTHING_TO_PROTECT[phase] };
      const down = hostsOf(seen.states.filter((state) => batch.includes(state.host) && !state.isRunning));
      const taken = new Set(batch);
      const asked = { answers, cluster: seen.present, done: new Set<string>(), down, away: hostsOf(seen.away), taken };
      return judgeMembers(asked, probe, now());
    },
  };
}

const NOTHING_TO_PROTECT: Readonly<Record<Exclude<ClusterPhase, 'serving' | 'unsure'>, string>> = {
  absent: 'there is no etcd cluster yet',
  forming: 'the bootstrap of the etcd cluster was interrupted, and continues now',
  down: 'fewer than a quorum of the etcd members run: there is nothing left to protect',
};

function hostsOf(members: readonly { readonly host: string }[]): ReadonlySet<string> {
  return new Set(members.map(({ host }) => host));
}

function unsure(away: readonly AwayMember[]): GateAnswer {
  const hosts = away.map(({ host }) => host);
  const reason = `whether there is an etcd cluster is not known while ${hosts.join(', ')} can't be asked`;
  return { open: false, reason, next: `ssh ${hosts[0] ?? ''} true`, isAway: true };
}
