import type { Content } from '../../model/content.js';
import type { Inventory } from '../../model/inventory.js';
import type { Balancer, ProxyName, VirtualService } from '../../model/virtual-service.js';
import { proxyOf } from '../../proxies/table.js';
import type { RoleTools } from '../role.js';

/** What keepalived asks whether this node may hold the virtual IP of a service. */
export function checkScriptPath({ places }: Pick<VirtualService, 'places'>, proxy: ProxyName): string {
  return `${places.checkScript}-${proxy}`;
}

/** The script that asks the service's proxy; at the place of another one, where keepalived still runs that. */
export function aliveScript(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  site: { readonly service: VirtualService; readonly balancer: Balancer; readonly of: ProxyName },
): { readonly path: string; readonly content: Content } {
  const alive = proxyOf(site.service).alive(site.service);
  const content = inventory.render(site.balancer.host, template(alive.template), alive.values);
  return { path: checkScriptPath(site.service, site.of), content };
}
