import { quotaInInventory } from '../facts/etcd-quota.js';
import type { Cluster } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import { refuseSmallQuota } from '../resources/joinable-size.js';
import { peersOf } from '../resources/joining-steps.js';
import { letInByMembers } from '../resources/let-in-by-members.js';
import type { RecoveryDecision } from './decide-recovery.js';

/**
 * What would stop a member from joining the survivor, refused while nothing is stopped: in the middle of a recovery nobody serves.
 * @param bytes of the survivor's database
 * @throws ProvisionError `firewall-cuts-off`, `quota-too-small`
 */
export async function refuseWhoCannotJoin(
  { survivor, others }: Pick<RecoveryDecision, 'survivor' | 'others'>,
  { cluster, bytes }: { readonly cluster: Cluster; readonly bytes: number },
  probe: (host: string) => Probe,
): Promise<void> {
  for (const member of others) refuseSmallQuota(member, { size: bytes, quota: quotaInInventory(survivor) });
  await Promise.all(
    others.map(async (member) => {
      const reachable = [survivor, ...others].filter((each) => each !== member).map(({ host }) => host);
      const decide = () =>
        Promise.resolve({ steps: ['add' as const], removed: undefined, initialCluster: '', found: undefined });
      const way = { cluster, member, peers: peersOf(cluster, member), decide };
      await letInByMembers(reachable, way).plan(probe(member.host));
    }),
  );
}
