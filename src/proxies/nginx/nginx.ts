import { httpsAnswer, httpsKey } from '../../facts/https-answer.js';
import { httpsUrl } from '../../model/endpoint.js';
import type { Probe } from '../../model/remote.js';
import { healthFiles, type Backend, type VirtualService } from '../../model/virtual-service.js';
import type { Proxy } from '../proxy.js';
import { nginxConfiguration } from './configuration.js';
import { nginxAnswers } from './own-answer.js';

/**
 * nginx as a TCP proxy, always an instance of its own: `stream` is a block that nginx.conf can have only once, and sites
 * that another nginx serves are not ours. It learns from failed connections only: who looks asks each backend itself.
 */
export const nginx: Proxy = {
  name: 'nginx',
  title: 'nginx',
  packages: ['nginx', 'libnginx-mod-stream'],
  process: 'nginx',
  unitTemplate: 'nginx.service.j2',
  reads: filesRead,
  configuration: nginxConfiguration,
  async view({ backends, health }, probe) {
    const [answers, ...problems] = await Promise.all([
      probe.ask(nginxAnswers, String(health.ownPort)),
      ...backends.map((backend) => problemOf(backend, health, probe)),
    ]);
    if (!answers) return { kind: 'silent' };
    return { kind: 'answers', problems: problems.filter((problem) => problem !== undefined) };
  },
  alive: ({ backends, health }) => ({
    template: 'check-nginx.sh.j2',
    values: { health_port: health.ownPort, servers: backends.map(({ address, port }) => ({ address, port })) },
  }),
};

/** nginx(8), `-c`. A running nginx has its whole command line as one word (`nginx: master process …`). */
function filesRead(argv: readonly string[]): readonly string[] {
  return [...argv.join(' ').matchAll(/ -c ?(\S+)/g)].map(([, path = '']) => path);
}

/** Asked from the balancer, where nginx would connect from, with the files of the health question. */
async function problemOf(
  { name, address, port, verifyName }: Backend,
  health: VirtualService['health'],
  probe: Probe,
): Promise<string | undefined> {
  const { ca, certificate, key } = healthFiles(health);
  const url = `${httpsUrl(address, port)}${health.path}`;
  // Where a certificate may get its names later in the run, its authority alone can't be verified by a client of URLs.
  const question = verifyName === undefined ? { url, certificate, key } : { url, ca, certificate, key };
  const answer = await probe.ask(httpsAnswer, httpsKey(question));
  if (answer.kind === 'failure') return `would find ${name} down: ${answer.reason}`;
  return health.alive.includes(answer.status)
    ? undefined
    : `would find ${name} not healthy: it answers ${answer.status}`;
}
