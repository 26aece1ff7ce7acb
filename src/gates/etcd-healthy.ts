import { clusterPhase, lookAtMembers, type ClusterPhase } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import type { Cluster } from '../model/cluster.js';
import type { Gate, GateInput } from '../model/gate.js';
import { judgeMembers, memberJournal, type MemberAnswers } from './judge-members.js';

/** A member restarts in seconds; a follower that must catch up from a snapshot may take minutes. */
const DEADLINE_MS = 180_000;

/**
 * After a batch: every member is healthy, and all agree. Those of the batch answer to their own host's client certificate,
 * and are verified. What the broken certificates of others bring about is noted, not held against this batch.
 */
export function etcdHealthy(cluster: Cluster, now: () => Date): Gate {
  return {
    name: 'etcd-healthy',
    deadlineMs: DEADLINE_MS,
    async check({ probe, when, batch }) {
      const [states, answers] = await lookAtAll(cluster, probe);
      // etcd answers a moment before systemd has noted that it is started.
      const late = states.filter((state) => !state.isRunning);
      const done = new Set(when === 'after' ? batch : []);
      const answer = await judgeMembers({ answers, cluster, done, down: new Set() }, probe, now());
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
export function etcdCanSpareBatch(cluster: Cluster, now: () => Date): Gate {
  return {
    name: 'etcd-can-spare-batch',
    deadlineMs: DEADLINE_MS,
    async check({ probe, batch }) {
      const [states, answers] = await lookAtAll(cluster, probe);
      const phase = clusterPhase(states);
      if (phase !== 'serving') return { open: true, note: NOTHING_TO_PROTECT[phase] };
      const down = new Set(
        states.filter((state) => batch.includes(state.host) && !state.isRunning).map(({ host }) => host),
      );
      return judgeMembers({ answers, cluster, done: new Set(), down }, probe, now());
    },
  };
}

const NOTHING_TO_PROTECT: Readonly<Record<Exclude<ClusterPhase, 'serving'>, string>> = {
  absent: 'there is no etcd cluster yet',
  forming: 'the bootstrap of the etcd cluster was interrupted, and continues now',
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
