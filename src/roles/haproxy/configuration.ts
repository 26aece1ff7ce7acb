import { isIP } from 'node:net';
import { HAPROXY_HEALTH_PORT } from '../../facts/haproxy-servers.js';
import { ETCD_HEALTH_PATH } from '../../gates/vip-answers.js';
import type { Resource } from '../../model/change.js';
import { HAPROXY_TLS, type Balancer, type Cluster, type Member } from '../../model/cluster.js';
import { plainContent } from '../../model/content.js';
import { hostPort } from '../../model/endpoint.js';
import type { Inventory } from '../../model/inventory.js';
import { file } from '../../resources/file.js';
import { requireEndpoint } from '../require-endpoint.js';
import type { RoleTools } from '../role.js';

/** `haproxy.cfg`, accepted by the HAProxy of its own host before it lands. */
export function haproxyConfiguration(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  { cluster, balancer }: { readonly cluster: Cluster; readonly balancer: Balancer },
): Resource {
  const { haproxy } = balancer;
  const { ip, port } = requireEndpoint(cluster);
  const text = inventory.render(balancer.host, template('haproxy.cfg.j2'), {
    bind: hostPort(ip, port),
    maxconn: haproxy.maxConnections,
    timeout_connect: haproxy.timeoutConnect,
    timeout_client: haproxy.timeoutClient,
    timeout_server: haproxy.timeoutServer,
    health_path: ETCD_HEALTH_PATH,
    health_port: HAPROXY_HEALTH_PORT,
    ca_file: HAPROXY_TLS.ca,
    client_bundle: HAPROXY_TLS.bundle,
    check_inter: haproxy.checkInter,
    check_rise: haproxy.checkRise,
    check_fall: haproxy.checkFall,
    servers: cluster.members.map((member) => ({
      name: member.name,
      address: hostPort(member.address, member.clientPort),
      verify: verifyWords(cluster, member),
    })),
    stats_port: haproxy.statsPort ?? null,
    extra_config: haproxy.extraConfig?.trimEnd() ?? null,
  });
  return file({
    path: haproxy.configFile,
    content: plainContent(text),
    owner: 'root',
    group: 'root',
    mode: '0644',
    validate: 'haproxy -c -f "$1"',
  });
}

/**
 * HAProxy compares names only, never addresses: a member named by an address is verified by its authority alone. So is
 * an adopted one, whose certificate may get its name later in the same run.
 */
function verifyWords({ isManaged }: Cluster, { name }: Member): string {
  return isManaged && isIP(name) === 0 ? ` check-sni ${name} verifyhost ${name}` : '';
}
