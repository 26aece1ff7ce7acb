import type { Host, Inventory } from '../model/inventory.js';
import { formerGroupOf, SERVICE_GROUPS, SERVICE_NAMES, type ServiceName } from '../model/virtual-service.js';
import type { VariableReader } from './variable-reader.js';

/** The hosts of the balancers' groups, by service. */
interface BalancerHosts {
  readonly balancers: Readonly<Record<ServiceName, readonly Host[]>>;
  readonly formerBalancers: Readonly<Record<ServiceName, readonly Host[]>>;
}

/** Nobody is a balancer and a former one. */
export function checkFormerBalancers(
  { balancers, formerBalancers }: BalancerHosts,
  { groups }: Inventory,
  reader: VariableReader,
): void {
  for (const name of SERVICE_NAMES) {
    const group = SERVICE_GROUPS[name];
    const former = formerGroupOf(group);
    for (const host of formerBalancers[name].filter((each) => balancers[name].includes(each))) {
      const because = groups.get(group)?.length
        ? `is in the group ${group}`
        : `is a load balancer, for there is no group ${group}`;
      reader.report('error', host.at, host.name, `${because}, and in ${former}: it can't be both; take it out of one`);
    }
  }
}
