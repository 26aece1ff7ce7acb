import { editDistance } from '../model/did-you-mean.js';
import type { Host, Inventory } from '../model/inventory.js';
import { formerGroupOf, SERVICE_GROUPS, SERVICE_NAMES, type ServiceName } from '../model/virtual-service.js';
import type { VariableReader } from './variable-reader.js';

/** A slip of the keyboard, in a name of 14 letters or more. */
const MAX_EDITS = 2;

/** The hosts of the balancers' groups, by service. */
interface BalancerHosts {
  readonly balancers: Readonly<Record<ServiceName, readonly Host[]>>;
  readonly formerBalancers: Readonly<Record<ServiceName, readonly Host[]>>;
}

/** Nobody is a balancer and a former one; a group that is named nearly so frees nobody, which the user is told. */
export function checkFormerBalancers(
  { balancers, formerBalancers }: BalancerHosts,
  { groups, hosts, file }: Inventory,
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
    const near = [...groups.keys()].filter((each) => each !== former && editDistance(each, former) <= MAX_EDITS);
    for (const each of near) {
      const [first = ''] = groups.get(each) ?? [];
      const at = hosts.get(first)?.at ?? { file, line: 1, column: 1 };
      reader.report('warning', at, `group ${each}`, `has no meaning here; did you mean ${former}?`);
    }
  }
}
