import type { HeardMember } from '../facts/etcd-membership.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { FORMER_MEMBERS } from '../model/former-groups.js';
import type { Probe } from '../model/remote.js';

/**
 * Members that are to leave are asked to change the list, too: one that has left, and is part of another cluster that trusts the
 * same authority, would change that one's.
 * @param heard the members of this cluster that answer
 * @throws ProvisionError `foreign-etcd`
 */
export async function refuseForeignPeers(
  { formerMembers }: Cluster,
  heard: readonly HeardMember[],
  probe: Probe,
): Promise<void> {
  if (heard.length === 0) return;
  const answers = await Promise.all(
    formerMembers.map(async (member) => ({
      host: member.host,
      status: await unlessLost(probe.on(member.host).ask(etcdStatus, etcdStatusKey(member))),
    })),
  );
  for (const { host, status } of answers) {
    if (status instanceof RemoteError || status.kind === 'silent') continue;
    if (!heard.some(({ clusterId }) => clusterId === status.clusterId))
      throw foreignPeer(host, status.clusterId, heard);
  }
}

function foreignPeer(host: string, found: string, heard: readonly HeardMember[]): ProvisionError {
  const ids = [...new Set(heard.map(({ clusterId }) => clusterId))].join(', ');
  return new ProvisionError({
    code: 'foreign-etcd',
    message: `${host}: the etcd that runs there belongs to cluster ${found}, not to ${ids}, and would be asked to change the list of members; nothing was changed`,
    hint: `it has left: take ${host} out of the group ${FORMER_MEMBERS}`,
  });
}
