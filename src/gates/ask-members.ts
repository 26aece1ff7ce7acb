import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { GateInput } from '../model/gate.js';

/** Asks every member on its own host. A host that can't be asked is `away`, and its member silent. */
export async function askMembers(
  { members }: Cluster,
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
