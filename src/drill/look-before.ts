import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { unitState } from '../facts/unit-state.js';
import type { Look } from '../facts/batched-probe.js';
import type { World } from '../engine/world.js';
import type { Cluster, LoadBalancedEndpoint } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { findObserver, observerCandidates, type Observer } from './observer.js';

/** What a drill stops, in this order: each is the death of one part of a balancer. */
export const SERVICES = ['haproxy', 'keepalived'] as const;

/** Open before anything is stopped, and again after everything was started. */
export const DRILL_GATES = ['etcd-healthy', 'haproxy-sees-etcd', 'keepalived-one-holder', 'vip-answers'] as const;

/** What a drill finds when all is well. */
export interface Position {
  readonly endpoint: LoadBalancedEndpoint;
  /** The balancer that holds the virtual IP. */
  readonly holder: string;
  /** Those that may take it over. */
  readonly others: readonly string[];
  readonly observer: Observer;
}

/** On a cluster that is not whole a drill would make an outage of a fault. */
class DrillRefused extends ProvisionError {
  constructor(reasons: readonly string[], hint: string) {
    super({
      code: 'drill-refused',
      message: ['nothing was stopped: a drill needs a cluster that is well', ...reasons].join('\n  '),
      hint,
    });
  }
}

/**
 * Looks whether all is well, whose services would be stopped, and who can measure.
 * @param checkUp the command that looks at everything, for the hint
 * @throws DrillRefused with every reason
 */
export async function lookBefore(cluster: Cluster, world: World, checkUp: string): Promise<Position> {
  const { endpoint, balancers } = cluster;
  if (endpoint === undefined || balancers.length < 2)
    throw new DrillRefused(
      ['it has no virtual IP, or only one load balancer'],
      'set etcd_lb_ip, and two hosts in etcd_lb',
    );
  const look = world.newLook();
  const [shut, holder] = await Promise.all([shutGates(cluster, world, look), holderOf(cluster, look)]);
  if (holder === undefined || shut.length > 0) throw new DrillRefused(shut, checkUp);
  const [unsafe, observer] = await Promise.all([
    unsafeServices(holder, look.probe(holder)),
    findObserver(observerCandidates(cluster, holder), endpoint, (host) => look.probe(host)),
  ]);
  if (unsafe.length > 0) throw new DrillRefused(unsafe, checkUp);
  if (observer === undefined) throw new DrillRefused(['no other host reaches etcd through the virtual IP'], checkUp);
  return { endpoint, holder, others: balancers.map(({ host }) => host).filter((host) => host !== holder), observer };
}

async function shutGates({ balancers }: Cluster, { gates, hosts }: World, look: Look): Promise<readonly string[]> {
  const probes = new Map(hosts.map((host) => [host, look.probe(host)]));
  const parameters = { hosts: balancers.map(({ host }) => host) };
  const answers = await Promise.all(
    DRILL_GATES.map(async (name) => ({ name, answer: await gates.get(name)?.check(probes, parameters) })),
  );
  return answers.flatMap(({ name, answer }) =>
    answer?.open === true ? [] : [`gate ${name} is shut: ${answer?.reason ?? 'there is no such gate'}`],
  );
}

/** Who holds the virtual IP; one of them, where gates tell that there are several. */
export async function holderOf({ balancers, endpoint }: Cluster, look: Look): Promise<string | undefined> {
  const found = await Promise.all(
    balancers.map(async ({ host }) => ({ host, addresses: await look.probe(host).ask(hostAddresses, ALL_ADDRESSES) })),
  );
  return found.find(({ addresses }) => addresses.some(({ address }) => address === endpoint?.ip))?.host;
}

/** A service that would not start at boot stays down when its host loses power in the middle of a drill. */
async function unsafeServices(holder: string, probe: Probe): Promise<readonly string[]> {
  const states = await Promise.all(SERVICES.map(async (unit) => ({ unit, ...(await probe.ask(unitState, unit)) })));
  return states.flatMap(({ unit, active, enabled }) => [
    ...(active ? [] : [`${unit} does not run on ${holder}`]),
    ...(enabled ? [] : [`${unit} would not start at boot on ${holder}`]),
  ]);
}
