import type { Resource } from '../../model/change.js';
import { hostPort } from '../../model/endpoint.js';
import type { Secret } from '../../model/secret.js';
import type { Balancer, VirtualService } from '../../model/virtual-service.js';
import { configurationFile } from '../configuration-file.js';
import type { ProxyTools } from '../proxy.js';

/** `haproxy.cfg`, accepted by the HAProxy of its own host before it lands. */
export function haproxyConfiguration(
  { name: service, endpoint, backends, health, words, termination }: VirtualService,
  balancer: Balancer,
  { template, inventory }: ProxyTools,
): Resource {
  const { host, proxy } = balancer;
  const content = inventory.render(host, template('haproxy.cfg.j2'), {
    service,
    words: { backend: words.backend, fault: words.fault },
    stats_socket: proxy.unitFile === undefined ? '/run/haproxy/admin.sock' : `/run/${proxy.unit}/admin.sock`,
    bind: hostPort(endpoint.ip, endpoint.port),
    maxconn: proxy.maxConnections,
    timeout_connect: proxy.timeoutConnect,
    timeout_client: proxy.timeoutClient,
    timeout_server: proxy.timeoutServer,
    timeout_tunnel: proxy.timeoutTunnel ?? null,
    health_path: health.path,
    // HAProxy compares one status, or many by a pattern.
    health_expected:
      health.alive.length === 1 ? `status ${health.alive.join()}` : `rstatus ^(${health.alive.join('|')})$`,
    // Where there is no other backend, nothing is gained by taking out the last one that serves.
    health_leaving: backends.length > 1 ? (health.leaving ?? null) : null,
    health_port: health.ownPort,
    ca_file: health.trust.path,
    // Of a server, HAProxy shows the same in its checks as for its clients.
    client_bundle: termination?.client ?? health.bundle ?? null,
    server_bundle: termination?.server ?? null,
    check_inter: proxy.checkInter,
    check_rise: proxy.checkRise,
    check_fall: proxy.checkFall,
    servers: backends.map(({ name, address, port, verifyName }) => ({
      name,
      address: hostPort(address, port),
      verify:
        verifyName === undefined
          ? ''
          : ` check-sni ${verifyName}${ownWords(verifyName, termination)} verifyhost ${verifyName}`,
      track: verifyName === undefined ? '' : `${ownWords(verifyName, termination)} verifyhost ${verifyName}`,
    })),
    ...statsOf(proxy),
    metrics_bind: proxy.metrics === undefined ? null : hostPort(proxy.metrics.address, proxy.metrics.port),
    extra_variable: proxy.extraVariable,
    extra_config: proxy.extraConfig?.trimEnd() ?? null,
  });
  return configurationFile(balancer, content, 'haproxy -c -f "$1"');
}

/** Of connections that HAProxy itself encrypts. */
function ownWords(name: string, termination: VirtualService['termination']): string {
  return termination === undefined ? '' : ` sni str(${name})`;
}

/** The page of statistics: on its own host where nothing else is said. */
function statsOf({ statsPort, stats }: Balancer['proxy']): Readonly<Record<string, string | Secret | null>> {
  return {
    stats_bind: statsPort === undefined ? null : hostPort(stats?.address ?? '127.0.0.1', statsPort),
    stats_user: stats?.login?.user ?? null,
    stats_password: stats?.login?.password ?? null,
  };
}
