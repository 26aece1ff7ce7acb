import type { Resource } from '../../model/change.js';
import { configurationMode } from '../../model/content.js';
import { hostPort } from '../../model/endpoint.js';
import type { Balancer, VirtualService } from '../../model/virtual-service.js';
import { file } from '../../resources/file.js';
import { BESIDE, type ProxyTools } from '../proxy.js';

/** `haproxy.cfg`, accepted by the HAProxy of its own host before it lands. */
export function haproxyConfiguration(
  { name: service, endpoint, backends, health }: VirtualService,
  { host, proxy, replaceFiles }: Balancer,
  { template, inventory }: ProxyTools,
): Resource {
  const content = inventory.render(host, template('haproxy.cfg.j2'), {
    service,
    stats_socket: proxy.unitFile === undefined ? '/run/haproxy/admin.sock' : `/run/${proxy.unit}/admin.sock`,
    bind: hostPort(endpoint.ip, endpoint.port),
    maxconn: proxy.maxConnections,
    timeout_connect: proxy.timeoutConnect,
    timeout_client: proxy.timeoutClient,
    timeout_server: proxy.timeoutServer,
    health_path: health.path,
    health_port: health.ownPort,
    ca_file: health.files.ca,
    client_bundle: health.files.certificate,
    check_inter: proxy.checkInter,
    check_rise: proxy.checkRise,
    check_fall: proxy.checkFall,
    servers: backends.map(({ name, address, port, verifyName }) => ({
      name,
      address: hostPort(address, port),
      verify: verifyName === undefined ? '' : ` check-sni ${verifyName} verifyhost ${verifyName}`,
    })),
    stats_port: proxy.statsPort ?? null,
    extra_config: proxy.extraConfig?.trimEnd() ?? null,
  });
  return file({
    path: proxy.configFile,
    content,
    owner: 'root',
    group: 'root',
    // HAProxy reads it as root, before it drops its privileges.
    mode: configurationMode(content),
    validate: 'haproxy -c -f "$1"',
    foreign: { replace: replaceFiles, wayOut: BESIDE },
  });
}
