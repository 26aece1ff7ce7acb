import { withoutMembers } from '../facts/etcd-membership.js';
import { lookAtMembers } from '../facts/etcd-phase.js';
import type { Cluster, Member } from '../model/cluster.js';
import type { Gate } from '../model/gate.js';
import { journalByHand } from '../shell/by-hand.js';
import { askMembers, lookAtPresent } from './ask-members.js';
import { judgeMembers, MAX_RAFT_LAG, membersHeard } from './judge-members.js';

/** As long as after a batch: what others do may take a moment to settle. */
const DEADLINE_MS = 180_000;

/** A database of 8 GiB (etcd docs, "system limits") comes over a slow network in less than that. */
const CATCH_UP_MS = 60 * 60_000;

/** etcd's own threshold is 90 % (server.go, `readyPercent`): a little above, so that it agrees. */
const READY_SHARE = 0.95;

/**
 * The members outside the batch serve, healthy and of one mind, whatever etcd lists for the members of the batch: those
 * are being replaced.
 */
export function etcdServesWithoutBatch(cluster: Cluster, now: () => Date): Gate {
  return {
    name: 'etcd-serves-without-batch',
    deadlineMs: DEADLINE_MS,
    async check({ probe, batch }) {
      const [seen, heard] = await lookAtPresent(cluster, probe);
      const isTaken = ({ host }: Member): boolean => batch.includes(host);
      const gone = [...cluster.members, ...cluster.formerMembers].filter(isTaken);
      const rest = { ...cluster, members: seen.present.members.filter((member) => !isTaken(member)) };
      const hosts = new Set(rest.members.map(({ host }) => host));
      const answers = [...heard].filter(([host]) => hosts.has(host));
      const without = new Map(answers.map(([host, status]) => [host, withoutMembers(status, gone)] as const));
      const away = new Set(seen.away.flatMap(({ host }) => (hosts.has(host) ? [host] : [])));
      const none = new Set<string>();
      return judgeMembers({ answers: without, cluster: rest, done: none, down: none, away, taken: none }, probe, now());
    },
  };
}

/**
 * The member of the batch runs as a learner, its cluster lists it as one, and it has what the leader has. One that is a
 * voter already is healthy.
 */
export function etcdLearnerCaughtUp(cluster: Cluster): Gate {
  return {
    name: 'etcd-learner-caught-up',
    deadlineMs: DEADLINE_MS,
    async check({ probe, batch }) {
      const [host = ''] = batch;
      // Those that are to leave may be the only ones that have a vote.
      const { present } = await lookAtMembers(cluster, probe(host));
      const members = [...new Set([...cluster.members, ...present.members])];
      const { answers } = await askMembers({ members }, probe);
      const heard = membersHeard(answers);
      const own = heard.find((each) => each.host === host);
      const others = heard.filter((each) => each.host !== host && !each.isLearner);
      const next = journalByHand(host, cluster.members.find((member) => member.host === host)?.unit ?? 'etcd');
      if (own === undefined) {
        const status = answers.get(host);
        return {
          open: false,
          reason: `${host} does not answer: ${status?.kind === 'silent' ? status.reason : ''}`,
          next,
        };
      }
      const listed = others[0]?.members.find(({ id }) => id === own.memberId);
      if (listed === undefined || others.some(({ clusterId }) => clusterId !== own.clusterId))
        return { open: false, reason: `what answers on ${host} is no member of this cluster`, next };
      if (!own.isLearner) return { open: true, note: `${host} is a voter already` };
      const leader = others.find(({ memberId, leaderId }) => memberId === leaderId);
      if (leader === undefined) return { open: false, reason: 'no leader answers', next };
      const figures = `raft index ${own.raftIndex} of ${leader.raftIndex}`;
      const lag = leader.raftIndex - own.raftIndex;
      if (listed.name !== '' && lag <= MAX_RAFT_LAG && own.raftIndex >= leader.raftIndex * READY_SHARE)
        return { open: true, note: `${host} has caught up: ${figures}` };
      return { open: false, reason: `${host} is catching up: ${figures}`, next, patienceMs: CATCH_UP_MS };
    },
  };
}
