import type { Resource } from '../../model/change.js';
import type { Balancer, Cluster } from '../../model/cluster.js';
import { plainContent } from '../../model/content.js';
import type { Inventory } from '../../model/inventory.js';
import { HAPROXY_HEALTH_PORT } from '../../facts/haproxy-servers.js';
import { directory } from '../../resources/directory.js';
import { file } from '../../resources/file.js';
import { authPassResource } from '../../resources/generated-secret.js';
import { packages } from '../../resources/packages.js';
import { service } from '../../resources/service.js';
import { virtualIp } from '../../resources/virtual-ip.js';
import { requireEndpoint } from '../require-endpoint.js';
import { balancerOn, type Role, type RoleTools } from '../role.js';
import { CHECK_SCRIPT, keepalivedConfiguration } from './configuration.js';

/** The virtual IP, held by one balancer whose HAProxy serves. */
export function keepalivedRole(tools: RoleTools): Role {
  return {
    name: 'keepalived',
    summary: 'can hold the virtual IP while its HAProxy serves',
    resources: (host, inventory, cluster) => balancerResources(tools, inventory, cluster, balancerOn(cluster, host)),
  };
}

function balancerResources(
  tools: RoleTools,
  inventory: Inventory,
  cluster: Cluster,
  balancer: Balancer,
): readonly Resource[] {
  const { ip } = requireEndpoint(cluster);
  const { keepalivedAuthPass, directory: store } = tools.pki;
  const isFirst = balancer === cluster.balancers[0];
  const isGenerated = balancer.keepalived.authPass === undefined;
  const configuration = keepalivedConfiguration(tools, inventory, { cluster, balancer });
  return [
    virtualIp({ vip: ip, balancer, balancers: cluster.balancers }),
    ...(isFirst && isGenerated ? [authPassResource(keepalivedAuthPass, store)] : []),
    packages({ names: ['keepalived'], keepStopped: ['keepalived'] }),
    directory({ path: '/usr/local/lib/provision', owner: 'root', group: 'root', mode: '0755' }),
    checkScript(tools, inventory, balancer),
    directory({ path: '/etc/keepalived', owner: 'root', group: 'root', mode: '0755' }),
    configuration,
    // Seen on 2.2.7: a changed priority is taken up silently, a changed router id leaves the address unheld for 3 s.
    service({ unit: 'keepalived', runsWith: [configuration], onChange: 'reload', isReloadFelt: true }),
  ];
}

/** keepalived runs it anew each time: a changed script needs no reload. */
function checkScript({ template }: RoleTools, inventory: Inventory, { host }: Balancer): Resource {
  const text = inventory.render(host, template('check-haproxy.sh.j2'), { health_port: HAPROXY_HEALTH_PORT });
  return file({ path: CHECK_SCRIPT, content: plainContent(text), owner: 'root', group: 'root', mode: '0755' });
}
