import { etcdQuota, etcdQuotaKey, quotaInInventory } from '../facts/etcd-quota.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Gate } from '../model/gate.js';
import { mebibytes } from '../model/mebibytes.js';
import { askMembers } from './ask-members.js';
import { membersHeard } from './judge-members.js';

/** etcd reports the new size a moment after a database was rewritten. */
const DEADLINE_MS = 60_000;

/** With less than a twentieth of its quota free, the alarm is raised again within minutes. */
const MOST_SHARE = 0.95;

/** No member's database is near its quota: the alarm NOSPACE would not be raised again by the next write. */
export function etcdHasRoom(cluster: Cluster): Gate {
  return {
    name: 'etcd-has-room',
    deadlineMs: DEADLINE_MS,
    async check({ probe }) {
      const [{ answers }, quotas] = await Promise.all([
        askMembers(cluster, probe),
        Promise.all(
          cluster.members.map(
            async (member) =>
              [member.host, await unlessLost(probe(member.host).ask(etcdQuota, etcdQuotaKey(member)))] as const,
          ),
        ),
      ]);
      const told = new Map(quotas.flatMap(([host, quota]) => (quota instanceof RemoteError ? [] : [[host, quota]])));
      const full = membersHeard(answers).flatMap(({ host, dbSize }) => {
        const member = cluster.members.find((each) => each.host === host);
        const quota = told.get(host) ?? quotaInInventory(member);
        return dbSize > quota * MOST_SHARE ? [`${host} has ${mebibytes(dbSize)} of ${mebibytes(quota)}`] : [];
      });
      if (full.length === 0) return { open: true };
      return {
        open: false,
        reason: `the database is still near its quota: ${full.join(', ')}`,
        next: 'what is in it is in use: remove keys, or raise etcd_quota_backend_bytes in the inventory; then: provision defrag INVENTORY',
      };
    },
  };
}
