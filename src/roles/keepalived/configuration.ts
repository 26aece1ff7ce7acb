import { isIPv6 } from 'node:net';
import { ALL_ADDRESSES, hostAddresses } from '../../facts/host-addresses.js';
import type { Resource } from '../../model/change.js';
import type { Content } from '../../model/content.js';
import { hostPrefix } from '../../model/endpoint.js';
import type { Inventory } from '../../model/inventory.js';
import type { Balancer, VirtualService } from '../../model/virtual-service.js';
import { BESIDE } from '../../proxies/proxy.js';
import { proxyOf } from '../../proxies/table.js';
import { file } from '../../resources/file.js';
import { interfaceOf } from '../../resources/virtual-ip.js';
import type { RoleTools } from '../role.js';
import { checkScriptPath } from './check-script.js';
import { markOf } from './down-mark.js';

/**
 * keepalived's own test of a file, judged by what it says: 2.2.7 (Debian 12) ends with 143 for a good file and a bad one
 * alike, for it signals its own process group (acassen/keepalived#2587; 2.3 ends with 0 or 5). It says nothing of a
 * good file. `setsid` keeps that signal from this shell, and from the connection.
 */
const VALIDATE = [
  'log=$(mktemp)',
  `trap 'rm -f "$log"' EXIT`,
  'setsid -w timeout 20 keepalived --config-test="$log" -f "$1" >/dev/null 2>&1',
  'status=$?',
  'cat "$log" >&2',
  '{ [ "$status" -eq 0 ] || [ "$status" -eq 143 ]; } && [ ! -s "$log" ]',
].join('\n');

/** `keepalived.conf`; readable by root only, for it holds the password. */
export function keepalivedConfiguration(
  tools: RoleTools,
  inventory: Inventory,
  site: Omit<Site, 'interface'>,
): Resource {
  return file({
    path: site.balancer.keepalived.configFile,
    content: async (probe) => {
      const addresses = await probe.ask(hostAddresses, ALL_ADDRESSES);
      return render(tools, inventory, { ...site, interface: interfaceOf(site.balancer, addresses) });
    },
    owner: 'root',
    group: 'root',
    mode: '0600',
    validate: VALIDATE,
    foreign: { replace: site.balancer.replaceFiles, wayOut: BESIDE },
  });
}

interface Site {
  readonly service: VirtualService;
  readonly balancer: Balancer;
  readonly interface: string;
}

function render({ template, pki }: RoleTools, inventory: Inventory, site: Site): Content {
  const { keepalived, host, address } = site.balancer;
  const { service } = site;
  const { ip } = service.endpoint;
  return inventory.render(host, template('keepalived.conf.j2'), {
    router_id: host,
    service: service.name,
    backend: service.words.backendOfService,
    proxy: service.proxy,
    proxy_title: proxyOf(service).title,
    check_script: checkScriptPath(service, service.proxy),
    mark: markOf(site.balancer.proxy.unit).mark,
    preempt: keepalived.preempt,
    mail: keepalived.mail === undefined ? null : { ...keepalived.mail },
    interface: site.interface,
    virtual_router_id: keepalived.virtualRouterId,
    priority: keepalived.priority,
    advert_int: keepalived.advertIntervalS,
    unicast: keepalived.unicast,
    address,
    peers: service.balancers.filter((balancer) => balancer.host !== host).map((balancer) => balancer.address),
    // Without this line IPv4 has version 2, and IPv6, which no other one has, version 3.
    version: isIPv6(ip) || keepalived.vrrpVersion === 2 ? null : keepalived.vrrpVersion,
    // Version 3 has no authentication (RFC 5798, section 9).
    auth_pass: keepalived.vrrpVersion === 3 ? null : (keepalived.authPass ?? pki.keepalivedAuthPass.value()),
    vip: ip,
    // Alone, without the network's prefix: else the node may pick it as the source address towards its peers.
    vip_prefix: hostPrefix(ip),
  });
}
