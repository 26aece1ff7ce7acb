import type { Backend } from '../../model/virtual-service.js';
import type { BackendView, Proxy } from '../proxy.js';
import { haproxyConfiguration } from './configuration.js';
import { haproxyServers, serversKey, type HaproxyServer } from './servers.js';

/** HAProxy, which asks each backend by itself, and tells what it found. */
export const haproxy: Proxy = {
  name: 'haproxy',
  title: 'HAProxy',
  packages: ['haproxy'],
  process: 'haproxy',
  unitTemplate: 'haproxy.service.j2',
  reads: filesRead,
  configuration: haproxyConfiguration,
  async view({ name, backends, health }, probe) {
    return judge(await probe.ask(haproxyServers, serversKey(health.ownPort, name)), backends);
  },
  alive: ({ health, words }) => ({
    template: 'check-haproxy.sh.j2',
    values: { health_port: health.ownPort, backend: words.backendOfService },
  }),
};

/** Management guide, section 3: `-f FILE`, as often as wanted, and whatever follows `--`. */
function filesRead(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  const options = end < 0 ? argv : argv.slice(0, end);
  const named = options.flatMap((word, index) => (word === '-f' ? (argv[index + 1] ?? []) : []));
  return end < 0 ? named : [...named, ...argv.slice(end + 1)];
}

function judge(servers: readonly HaproxyServer[] | undefined, backends: readonly Backend[]): BackendView {
  if (servers === undefined) return { kind: 'silent' };
  const problems = backends.flatMap(({ name }) => {
    const server = servers.find((each) => each.name === name);
    if (server === undefined) return [`does not know ${name}`];
    // A new HAProxy counts every server as up until the first check: only a check that passed proves it.
    if (server.status.startsWith('UP') && server.check === 'L7OK') return [];
    return [`finds ${name} ${server.status}: ${server.check || 'not checked yet'}`];
  });
  return { kind: 'answers', problems };
}
