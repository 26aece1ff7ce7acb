import { aboutService, type Gate, type GateInput } from '../model/gate.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { unlessLost } from '../facts/unless-lost.js';
import { RemoteError } from '../model/errors.js';
import type { VirtualService } from '../model/virtual-service.js';
import { proxyOf } from '../proxies/table.js';
import type { BackendView } from '../proxies/proxy.js';
import { gateHosts } from './gate-hosts.js';
import { proxyJournal } from './vip-answers.js';

/** Some health checks, seconds apart, with room for a slow member. */
const DEADLINE_MS = 60_000;

/** The proxy on each host of the batch runs, and has found every backend of the service up. */
export function allBackendsUp(service: VirtualService): Gate {
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

/**
 * The same for a run: a backend on a host that can't be asked says nothing about the batch, as long as there is another
 * one. It is noted, and not held against the batch.
 */
export function backendsUp(service: VirtualService): Gate {
  const strict = allBackendsUp(service);
  return {
    ...strict,
    async check(input) {
      const answer = await strict.check(input);
      if (answer.open) return answer;
      const away = await backendsAway(service, input);
      const backends = service.backends.filter(({ host }) => !away.includes(host));
      if (away.length === 0 || backends.length === 0) return answer;
      const rest = await allBackendsUp({ ...service, backends }).check(input);
      return rest.open ? { open: true, note: `${away.join(', ')} can't be asked, and is left out` } : rest;
    },
  };
}

async function backendsAway({ backends }: VirtualService, { probe }: GateInput): Promise<readonly string[]> {
  const hosts = [...new Set(backends.map(({ host }) => host))];
  const found = await Promise.all(hosts.map(async (host) => unlessLost(probe(host).ask(hostAddresses, ALL_ADDRESSES))));
  return hosts.filter((_, index) => found[index] instanceof RemoteError);
}

function problemsOf(view: BackendView, host: string, service: VirtualService): readonly string[] {
  const subject = `${proxyOf(service).title} on ${host}`;
  return view.kind === 'silent' ? [`${subject} does not answer`] : view.problems.map((each) => `${subject} ${each}`);
}
