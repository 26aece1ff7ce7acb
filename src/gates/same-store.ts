import { hex } from '../facts/etcd-membership.js';
import type { EtcdIdentity } from '../facts/etcd-identity.js';
import type { EtcdStatus } from '../facts/etcd-status.js';

/**
 * How far apart two answers of one store may be: they are seconds apart, and a follower may lag. Clusters that were made with
 * the same names and token have the same ids, however different their data.
 */
const [MOST_WRITES, MOST_SHARE] = [1_000, 0.01];

/** Whether who answers somewhere is a member of the cluster that a member is in, and has its data. */
export function isSameStore(
  { clusterId, memberId, revision }: EtcdIdentity & { readonly kind: 'answers' },
  status: EtcdStatus & { readonly kind: 'answers' },
): boolean {
  const apart = Math.abs(revision - status.revision);
  return (
    clusterId === status.clusterId &&
    status.members.some(({ id }) => id === memberId) &&
    apart <= MOST_WRITES + MOST_SHARE * Math.max(revision, status.revision)
  );
}

/** What a member says of its cluster; nothing where it is silent. */
export function described({ host, status }: { readonly host: string; readonly status: EtcdStatus }): readonly string[] {
  if (status.kind === 'silent') return [];
  return [`${host}: cluster ${hex(status.clusterId)} at revision ${status.revision}`];
}
