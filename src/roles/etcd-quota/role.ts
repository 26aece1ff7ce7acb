import { etcdMember } from '../../resources/etcd-member.js';
import { memberParts } from '../etcd/role.js';
import { memberOn, type Role, type RoleTools } from '../role.js';

/** A member that runs with the settings of the inventory: what a larger quota needs, where the alarm NOSPACE stops all other changes. */
export function etcdQuotaRole(tools: RoleTools): Role {
  return {
    name: 'etcd-quota',
    summary: 'has an etcd member that runs with the quota of the inventory',
    resources(host, inventory, cluster) {
      const member = memberOn(cluster, host);
      if (!cluster.isManaged) return [];
      const { environment } = memberParts(tools, inventory, { cluster, member });
      return [environment, etcdMember({ cluster, member, runsWith: [environment] })];
    },
  };
}
