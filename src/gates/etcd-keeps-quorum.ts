import { clusterPhase, quorum, type MembersSeen } from '../facts/etcd-phase.js';
import type { Cluster, Member } from '../model/cluster.js';
import type { Gate, GateAnswer } from '../model/gate.js';
import { lookAtPresent } from './ask-members.js';
import { etcdCanSpareBatch } from './etcd-healthy.js';
import { memberJournal, membersHeard, ownProblems, type MemberAnswers } from './judge-members.js';

/**
 * The members outside the batch are healthy, and a quorum: those of the batch may be away for minutes. A restart of seconds may have a
 * cluster of two wait (`etcd-can-spare-batch`), a reboot may not; and what excuses a silent member there does not make it serve.
 */
export function etcdKeepsQuorum(cluster: Cluster, now: () => Date): Gate {
  const spare = etcdCanSpareBatch(cluster, now);
  return {
    ...spare,
    name: 'etcd-keeps-quorum-without-batch',
    async check(input) {
      // A stacked one that is to leave counts until it has.
      const isTaken = ({ host }: Pick<Member, 'host'>): boolean => input.batch.includes(host);
      if (![...cluster.members, ...cluster.formerMembers].some(isTaken)) return spare.check(input);
      const [seen, answers] = await lookAtPresent(cluster, input.probe);
      const split = { seen, answers, taken: seen.present.members.filter(isTaken) };
      const tooFew = listedTooFew(split);
      if (tooFew !== undefined) return tooFew;
      const answer = await spare.check(input);
      return answer.open && isAtStake(split) ? (servingTooFew(split) ?? answer) : answer;
    },
  };
}

/** The members, and which of them are in the batch. */
interface Split {
  readonly seen: MembersSeen;
  readonly answers: MemberAnswers;
  readonly taken: readonly Member[];
}

/** Too few by their number alone: waiting does not change that. */
function listedTooFew({ seen, taken }: Split): GateAnswer | undefined {
  const { length: all } = seen.present.members;
  const left = all - taken.length;
  if (taken.length === 0 || left >= quorum(all)) return undefined;
  const names = namesOf(taken);
  return {
    open: false,
    reason: `${names} is one of ${all} etcd members: while it is away, ${left} would be left, fewer than a quorum of ${quorum(all)}`,
    next: `add members first (docs/runbooks/add-a-member.md), or upgrade ${names} by hand, while nobody needs the cluster`,
    isFinal: true,
  };
}

/** Whether a cluster would lose a member: where too few run, one of the batch that runs is needed to repair it. */
function isAtStake({ seen, taken }: Split): boolean {
  const phase = clusterPhase(seen);
  const runs = seen.states.some(({ host, isRunning }) => isRunning && taken.some((member) => member.host === host));
  return taken.length > 0 && (phase === 'serving' || (phase === 'down' && runs));
}

/** Too few of those outside the batch are heard and healthy, whatever the reason is. */
function servingTooFew({ seen, answers, taken }: Split): GateAnswer | undefined {
  const { members } = seen.present;
  const heard = membersHeard(answers);
  const sick = ownProblems(heard);
  const serves = ({ host }: Member): boolean => !sick.has(host) && heard.some((each) => each.host === host);
  const others = members.filter((member) => !taken.includes(member));
  const bad = others.filter((member) => !serves(member));
  const left = others.length - bad.length;
  const [first] = bad;
  if (first === undefined || left >= quorum(members.length)) return undefined;
  const why = bad.map(({ host }) => sick.get(host)?.join(', ') ?? silenceOf(host, answers)).join('; ');
  return {
    open: false,
    reason: `while ${namesOf(taken)} is away, ${left} of ${members.length} etcd members would serve, fewer than a quorum of ${quorum(members.length)}: ${why}`,
    next: memberJournal(seen.present, first.host),
  };
}

function silenceOf(host: string, answers: MemberAnswers): string {
  const status = answers.get(host);
  return `${host} does not answer: ${status?.kind === 'silent' ? status.reason : ''}`;
}

function namesOf(members: readonly Member[]): string {
  return members.map(({ host }) => host).join(', ');
}
