import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { RemoteError } from '../model/errors.js';
import { aboutService, type Gate, type GateInput } from '../model/gate.js';
import type { Balancer, VirtualService } from '../model/virtual-service.js';
import { proxyOf } from '../proxies/table.js';
import { journalByHand } from '../shell/by-hand.js';

/** A balancer that was just restarted has found its backends within seconds. */
const DEADLINE_MS = 60_000;

/**
 * Another balancer can take the virtual IP while those of the batch are away for minutes. Open where there is no other, and where none of
 * the batch serves: there is nothing to lose.
 */
export function vipCanSpareBatch(service: VirtualService): Gate {
  const { name, balancers } = service;
  return {
    name: aboutService('vip-can-spare-batch', name),
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe }) {
      const taken = balancers.filter(({ host }) => batch.includes(host));
      const others = balancers.filter((each) => !taken.includes(each));
      if (taken.length === 0) return { open: true };
      if (others.length === 0)
        return { open: true, note: `there is no other load balancer of ${name}: nobody is led to it meanwhile` };
      const seen = await Promise.all(
        balancers.map(async (balancer) => ({ balancer, problem: await problemOn(balancer, service, probe) })),
      );
      const bad = seen.filter(({ balancer, problem }) => others.includes(balancer) && problem !== undefined);
      if (bad.length < others.length) return { open: true };
      if (!seen.some(({ balancer, problem }) => taken.includes(balancer) && problem === undefined))
        return { open: true, note: `no load balancer of ${name} serves` };
      const [first] = bad;
      return {
        open: false,
        reason: `no other load balancer of ${name} could take ${service.endpoint.ip}: ${bad.map(({ problem }) => problem).join('; ')}`,
        next: first === undefined ? '' : journalByHand(first.balancer.host, first.balancer.keepalived.unit),
      };
    },
  };
}

async function problemOn(
  balancer: Balancer,
  service: VirtualService,
  probe: GateInput['probe'],
): Promise<string | undefined> {
  const asked = await unlessLost(problemOf(balancer, service, probe));
  return asked instanceof RemoteError ? asked.message : asked;
}

async function problemOf(
  { host, keepalived: { unit } }: Balancer,
  service: VirtualService,
  probe: GateInput['probe'],
): Promise<string | undefined> {
  const [keepalived, view] = await Promise.all([
    probe(host).ask(unitState, unit),
    proxyOf(service).view(service, probe(host)),
  ]);
  const { title } = proxyOf(service);
  if (!keepalived.active) return `${unit} does not run on ${host}`;
  if (view.kind === 'silent') return `${title} on ${host} does not answer`;
  return view.problems.length < service.backends.length ? undefined : `${title} on ${host} ${view.problems.join('; ')}`;
}
