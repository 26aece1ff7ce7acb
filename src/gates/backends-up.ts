import { aboutService, type Gate } from '../model/gate.js';
import type { VirtualService } from '../model/virtual-service.js';
import { proxyOf } from '../proxies/table.js';
import type { BackendView } from '../proxies/proxy.js';
import { gateHosts } from './gate-hosts.js';
import { proxyJournal } from './vip-answers.js';

/** Some health checks, seconds apart, with room for a slow member. */
const DEADLINE_MS = 60_000;

/** The proxy on each host of the batch runs, and has found every backend of the service up. */
export function backendsUp(service: VirtualService): Gate {
  return {
    name: aboutService('backends-up', service.name),
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe }) {
      const looks = await Promise.all(
        gateHosts(batch, service.balancers).map(async (host) => ({
          host,
          problems: problemsOf(await proxyOf(service).view(service, probe(host)), host, service),
        })),
      );
      const bad = looks.filter(({ problems }) => problems.length > 0);
      const [first] = bad;
      if (first === undefined) return { open: true };
      return {
        open: false,
        reason: bad.flatMap(({ problems }) => problems).join('; '),
        next: proxyJournal(service, first.host),
      };
    },
  };
}

function problemsOf(view: BackendView, host: string, service: VirtualService): readonly string[] {
  const subject = `${proxyOf(service).title} on ${host}`;
  return view.kind === 'silent' ? [`${subject} does not answer`] : view.problems.map((each) => `${subject} ${each}`);
}
