import { etcdDatabaseFile } from '../facts/etcd-database-file.js';
import { etcdQuota, etcdQuotaKey } from '../facts/etcd-quota.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Gate } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import type { SpaceSeen } from './decide-defrag.js';

/**
 * Asks every member for its space, one exec a host, and whether all but that is healthy.
 * @param healthy the gate that the work is behind
 * @throws ProvisionError `etcd-unhealthy` where a member does not answer, or anything but NOSPACE is wrong
 */
export async function lookAtSpace(
  { members }: Pick<Cluster, 'members'>,
  { probe, healthy }: { readonly probe: (host: string) => Probe; readonly healthy: Gate },
): Promise<readonly SpaceSeen[]> {
  const [answers, verdict] = await Promise.all([
    Promise.all(
      members.map(async (member) => {
        const there = probe(member.host);
        const found = await unlessLost(
          Promise.all([
            there.ask(etcdStatus, etcdStatusKey(member)),
            there.ask(etcdQuota, etcdQuotaKey(member)),
            there.ask(etcdDatabaseFile, member.dataDir),
          ]),
        );
        return { member, found };
      }),
    ),
    healthy.check({ probe, when: 'before', batch: [], play: [], arguments: {} }),
  ]);
  const seen = answers.map(({ member, found }): SpaceSeen => {
    if (found instanceof RemoteError) throw unhealthy(`${member.host} can't be asked (${found.message})`, found.hint);
    const [status, quota, inode] = found;
    if (status.kind === 'silent') throw unhealthy(`${member.host} does not answer: ${status.reason}`);
    return { member, status: { host: member.host, ...status }, quota, inode };
  });
  if (!verdict.open) throw unhealthy(verdict.reason, verdict.next);
  return seen;
}

/** Why nothing is defragmented. */
export function unhealthy(what: string, next?: string): ProvisionError {
  return new ProvisionError({
    code: 'etcd-unhealthy',
    message: `members are only defragmented while all are healthy but for their space: ${what}; nothing was changed`,
    hint: [...(next === undefined ? [] : [next]), 'provision doctor etcd INVENTORY'].join('\n'),
  });
}
