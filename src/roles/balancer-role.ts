import type { Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { Inventory } from '../model/inventory.js';
import type { Balancer, ServiceName, VirtualService } from '../model/virtual-service.js';
import { requireService } from './require-service.js';
import { balancerOn, type Role } from './role.js';

/** One balancer of a service. */
export interface BalancerSite {
  readonly cluster: Cluster;
  readonly service: VirtualService;
  readonly balancer: Balancer;
}

/** What a balancer of a service has a part of. */
interface BalancerRole extends Pick<Role, 'summary'> {
  readonly service: ServiceName;
  /** The role is named `SERVICE-PART`. */
  readonly part: string;
  readonly resources: (inventory: Inventory, site: BalancerSite) => readonly Resource[];
}

/** A role of the balancers of one service. */
export function balancerRole({ service: name, part, summary, resources }: BalancerRole): Role {
  return {
    name: `${name}-${part}`,
    summary,
    resources(host, inventory, cluster) {
      const service = requireService(cluster, name);
      return resources(inventory, { cluster, service, balancer: balancerOn(service, host) });
    },
  };
}
