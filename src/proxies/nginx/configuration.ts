import type { Resource } from '../../model/change.js';
import { hostPort } from '../../model/endpoint.js';
import type { Balancer, VirtualService } from '../../model/virtual-service.js';
import { configurationFile } from '../configuration-file.js';
import type { ProxyTools } from '../proxy.js';

/**
 * nginx's own test. It opens the pid file that the unit names, which lies in a directory that is there only while the unit
 * runs: so another one, and that is removed again.
 */
const VALIDATE = [
  'pid=$(mktemp)',
  `trap 'rm -f "$pid"' EXIT`,
  'nginx -t -q -g "pid $pid; error_log stderr;" -c "$1"',
].join('\n');

/** The configuration of an nginx that does nothing else, accepted by the nginx of its own host before it lands. */
export function nginxConfiguration(
  { name: service, endpoint, backends, health, words }: VirtualService,
  balancer: Balancer,
  { template, inventory }: ProxyTools,
): Resource {
  const { host, proxy } = balancer;
  const content = inventory.render(host, template('nginx.conf.j2'), {
    service,
    fault: words.fault,
    listen: hostPort(endpoint.ip, endpoint.port),
    connections: proxy.maxConnections,
    timeout_connect: proxy.timeoutConnect,
    timeout: proxy.timeoutClient,
    max_fails: proxy.checkFall,
    fail_timeout: proxy.checkInter,
    health_port: health.ownPort,
    servers: backends.map(({ name, address, port }) => ({ name, address: hostPort(address, port) })),
    extra_variable: proxy.extraVariable,
    extra_config: proxy.extraConfig?.trimEnd() ?? null,
  });
  return configurationFile(balancer, content, VALIDATE);
}
