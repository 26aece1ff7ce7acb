import type { Balancer, VirtualService } from '../../model/virtual-service.js';
import type { Inventory } from '../../model/inventory.js';
import type { Resource } from '../../model/change.js';
import { posix } from 'node:path';
import { BESIDE } from '../../proxies/proxy.js';
import { proxyOf } from '../../proxies/table.js';
import { directory } from '../../resources/directory.js';
import { downMark, type MarkedUnit } from '../../resources/down-mark.js';
import type { RoleTools } from '../role.js';
import { checkScriptPath } from './check-script.js';

/**
 * What tells keepalived at once that the unit of a proxy has ended: it watches the mark, which the drop-in makes and
 * removes. The mark is in /run itself: only root writes there, a boot begins without it, and no disk is waited for.
 */
export function markOf(unit: string): MarkedUnit {
  return {
    unit,
    mark: `/run/provision-down.${unit}`,
    dropIn: `/etc/systemd/system/${unit}.service.d/60-provision-down.conf`,
  };
}

/** The drop-in of the proxy's unit, and its directory. Neither restarts the proxy nor reloads it. */
export function proxyDownMark(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  { service, balancer }: { readonly service: VirtualService; readonly balancer: Balancer },
): readonly Resource[] {
  const marked = markOf(balancer.proxy.unit);
  const root = { owner: 'root', group: 'root' } as const;
  const content = inventory.render(balancer.host, template('proxy-down.conf.j2'), {
    service: service.name,
    proxy_title: proxyOf(service).title,
    check_script: checkScriptPath(service, service.proxy),
    mark: marked.mark,
  });
  return [
    directory({ path: posix.dirname(marked.dropIn), ...root, mode: '0755' }),
    downMark({
      ...marked,
      file: { content, ...root, mode: '0644', foreign: { replace: balancer.replaceFiles, wayOut: BESIDE } },
    }),
  ];
}
