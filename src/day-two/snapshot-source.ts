import { askHosts } from '../checks/ask-hosts.js';
import { hex, isSame } from '../facts/etcd-membership.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';

type Answering = Extract<EtcdStatus, { kind: 'answers' }>;

/** A member, and what its host says of it. */
export interface Heard {
  readonly member: Member;
  readonly status: Answering;
}

/** The member that a snapshot is taken from, and what it says of itself. */
export interface SnapshotSource extends Heard {
  /** The revision that most members had reached before: no snapshot of now has less. Absent: a person named the member. */
  readonly confirmed: number | undefined;
}

/** Members that are to leave have a vote until they do, and hosts that join may have no members yet. */
export type VotersOf = Pick<Cluster, 'members' | 'formerMembers'>;

/** The members of a cluster, and how to ask their hosts. */
export interface AskedMembers {
  readonly cluster: VotersOf;
  readonly probe: (host: string) => Probe;
}

/**
 * A healthy voter that has come as far as most say that they have, each asked by its own host at its own address: the first of the
 * group `etcd`, or of those that are to leave. A number beyond that, which nobody else confirms, is no reason to take it.
 * @param from take this host's, healthy or not: one that lost its quorum can still be saved
 * @throws ProvisionError `no-healthy-member`, `unknown-member`, `members-of-two-clusters`
 */
export async function chooseSource(asked: AskedMembers, from: string | undefined): Promise<SnapshotSource> {
  if (from !== undefined) return namedSource(asked, from);
  const [best] = await chooseSources(asked);
  return best;
}

/**
 * All that {@link chooseSource} could take, the best one first: where its host fails, another one has the same.
 * @throws ProvisionError `no-healthy-member`, `members-of-two-clusters`
 */
export async function chooseSources(
  asked: AskedMembers,
): Promise<readonly [SnapshotSource, ...(readonly SnapshotSource[])]> {
  const { answers, reasons } = await askMembers(asked);
  const { cluster } = asked;
  const voters = [...cluster.members, ...cluster.formerMembers];
  const stays = ({ member }: Heard): boolean => cluster.members.includes(member);
  const fit = answers.filter((each) => isFit(each) && (stays(each) || listsNobodyElse(each, voters)));
  if (fit.length === 0) throw noneHealthy([...answers.map(unfit), ...reasons]);
  const agreed = ofOneCluster(fit);
  const index = reachedByMost(agreed.map(({ status }) => status.raftIndex));
  const far = agreed.filter(({ status }) => status.raftIndex >= index);
  const confirmed = reachedByMost(agreed.map(({ status }) => status.revision));
  const [best, ...others] = [...far.filter(stays), ...far.filter((each) => !stays(each))].map((each) => ({
    ...each,
    confirmed,
  }));
  if (best === undefined) throw new Error('nobody has come as far as most have');
  return [best, ...others];
}

async function namedSource({ cluster, probe }: AskedMembers, from: string): Promise<SnapshotSource> {
  // On the worst day those that are to leave may be all there is.
  const known = [...cluster.members, ...cluster.formerMembers];
  const members = known.filter(({ host }) => host === from);
  if (members.length === 0)
    throw new ProvisionError({
      code: 'unknown-member',
      message: `${from} is no etcd host of the inventory`,
      hint: `expected one of: ${known.map(({ host }) => host).join(', ')}`,
    });
  const { answers, reasons } = await askMembers({ cluster: { members, formerMembers: [] }, probe });
  const [found] = answers;
  if (found === undefined) throw noneHealthy(reasons);
  return { ...found, confirmed: undefined };
}

/** What members answer now, and why others don't, a line each. */
export async function askMembers({
  cluster,
  probe,
}: AskedMembers): Promise<{ readonly answers: readonly Heard[]; readonly reasons: readonly string[] }> {
  const members = [...cluster.members, ...cluster.formerMembers];
  const { heard, unreachable } = await askHosts(
    members.map(({ host }) => host),
    async (host) => {
      const [member] = members.filter((each) => each.host === host);
      return member === undefined ? undefined : probe(host).ask(etcdStatus, etcdStatusKey(member));
    },
  );
  const answers = members.flatMap((member): Heard[] => {
    const status = heard.get(member.host);
    return status?.kind === 'answers' ? [{ member, status }] : [];
  });
  const silent = [...heard].flatMap(([host, status]) =>
    status?.kind === 'answers' ? [] : [`${host}: ${status?.reason ?? 'no answer'}`],
  );
  return { answers, reasons: [...silent, ...unreachable.map(({ host = '', evidence }) => `${host}: ${evidence}`)] };
}

/** It is healthy, and has a vote. */
export function isFit({ status }: Heard): boolean {
  return status.isHealthy && !status.isLearner;
}

/** A host that has left may have a member of another cluster by now. */
function listsNobodyElse({ status }: Heard, voters: readonly Member[]): boolean {
  return status.members.every((listed) => voters.some((member) => isSame(listed, member, [])));
}

function unfit(each: Heard): string {
  const { member, status } = each;
  if (isFit(each)) return `${member.host}: its etcd has members that the inventory does not name`;
  return `${member.host}: ${status.isLearner ? 'a learner' : 'answers, and is not healthy'}`;
}

/** Those of the cluster that most of them say they are of. @throws ProvisionError `members-of-two-clusters` */
function ofOneCluster(fit: readonly Heard[]): readonly Heard[] {
  const of = (id: string): readonly Heard[] => fit.filter(({ status }) => status.clusterId === id);
  const agreed = fit.map(({ status }) => of(status.clusterId)).find((some) => 2 * some.length > fit.length);
  if (agreed !== undefined) return agreed;
  const told = fit.map(({ member, status }) => `${member.host} is of ${hex(status.clusterId)}`);
  throw new ProvisionError({
    code: 'members-of-two-clusters',
    message: `members say that they are of different clusters, and no cluster has most of them: ${told.join(', ')}`,
    hint: 'see which is which: provision verify INVENTORY; then name the member to save: provision snapshot save INVENTORY --from HOST',
  });
}

/**
 * The highest number that more than half of them have reached: what one alone says, however high or low, moves it no further than to
 * what another one says.
 */
export function reachedByMost(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => b - a)[Math.floor(numbers.length / 2)] ?? 0;
}

function noneHealthy(reasons: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'no-healthy-member',
    message: ['no healthy member can be saved:', ...reasons.map((line) => `    ${line}`)].join('\n'),
    hint: 'without a quorum, save the one that has come furthest all the same: --from HOST',
  });
}
