import type { Resource } from '../../model/change.js';
import { configurationMode } from '../../model/content.js';
import { hostPort } from '../../model/endpoint.js';
import type { Balancer, VirtualService } from '../../model/virtual-service.js';
import { file } from '../../resources/file.js';
import { BESIDE, type ProxyTools } from '../proxy.js';

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
  { name: service, endpoint, backends, health }: VirtualService,
  { host, proxy, replaceFiles }: Balancer,
  { template, inventory }: ProxyTools,
): Resource {
  const content = inventory.render(host, template('nginx.conf.j2'), {
    service,
    listen: hostPort(endpoint.ip, endpoint.port),
    connections: proxy.maxConnections,
    timeout_connect: proxy.timeoutConnect,
    timeout: proxy.timeoutClient,
    max_fails: proxy.checkFall,
    fail_timeout: proxy.checkInter,
    health_port: health.ownPort,
    servers: backends.map(({ name, address, port }) => ({ name, address: hostPort(address, port) })),
    extra_config: proxy.extraConfig?.trimEnd() ?? null,
  });
  return file({
    path: proxy.configFile,
    content,
    owner: 'root',
    group: 'root',
    // nginx reads it as root, before it drops its privileges.
    mode: configurationMode(content),
    validate: VALIDATE,
    foreign: { replace: replaceFiles, wayOut: BESIDE },
  });
}
