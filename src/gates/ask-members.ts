import { withoutMembers } from '../facts/etcd-membership.js';
import { lookAtMembers, type MembersSeen } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { GateInput } from '../model/gate.js';

/** Asks every member on its own host. A host that can't be asked is `away`, and its member silent. */
export async function askMembers(
  { members }: Pick<Cluster, 'members'>,
  probe: GateInput['probe'],
): Promise<{ readonly answers: ReadonlyMap<string, EtcdStatus>; readonly away: ReadonlySet<string> }> {
  const asked = await Promise.all(
    members.map(async (member) => ({
      host: member.host,
      status: await unlessLost(probe(member.host).ask(etcdStatus, etcdStatusKey(member))),
    })),
  );
  const lost = asked.filter(({ status }) => status instanceof RemoteError);
  const answers = asked.map(({ host, status }): readonly [string, EtcdStatus] => [
    host,
    status instanceof RemoteError ? { kind: 'silent', reason: status.message } : status,
  ]);
  return { answers: new Map(answers), away: new Set(lost.map(({ host }) => host)) };
}

/**
 * The members that the running cluster has now, as their hosts show them; of one whose host can't be asked, what others hear.
 * What is yet to join is on no list of theirs.
 */
export async function lookAtPresent(
  cluster: Cluster,
  probe: GateInput['probe'],
): Promise<readonly [MembersSeen, ReadonlyMap<string, EtcdStatus>]> {
  const seen = await lookAtMembers(cluster, probe(cluster.members[0]?.host ?? ''));
  const { answers } = await askMembers(seen.present, probe);
  const heard = [...answers, ...seen.away.map(({ host, status }) => [host, status] as const)];
  return [seen, new Map(heard.map(([host, status]) => [host, withoutMembers(status, seen.yetToJoin)]))];
}
