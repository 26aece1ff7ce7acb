import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { unitState } from '../facts/unit-state.js';
import type { Look } from '../facts/batched-probe.js';
import type { World } from '../engine/world.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { ExternalBalancer } from '../model/etcd-way.js';
import { aboutService } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import { SERVICE_GROUPS, serviceNamed, type ServiceName, type VirtualService } from '../model/virtual-service.js';
import { findObserver, observerCandidates, type Observer } from './observer.js';

/** Parts of a balancer that a drill stops, in this order: each is a death of its own. */
export const PARTS = ['proxy', 'keepalived'] as const;

/** Open before anything is stopped, and again after everything was started. */
export function drillGates({ name }: VirtualService): readonly string[] {
  return [
    'etcd-healthy',
    ...['backends-up', 'keepalived-one-holder', 'vip-answers'].map((gate) => aboutService(gate, name)),
  ];
}

/** What a drill finds when everything is healthy. */
export interface Position {
  readonly service: VirtualService;
  /** The balancer that holds the virtual IP. */
  readonly holder: string;
  /** Those that may take it over. */
  readonly others: readonly string[];
  readonly observer: Observer;
}

/** On an unhealthy cluster a drill would make an outage of a fault. */
class DrillRefused extends ProvisionError {
  constructor(reasons: readonly string[], hint: string) {
    super({
      code: 'drill-refused',
      message: ['nothing was stopped: a drill needs a healthy cluster', ...reasons].join('\n  '),
      hint,
    });
  }
}

/** What a drill is about. */
export interface DrillSubject {
  readonly cluster: Cluster;
  /** Whose virtual IP fails over. */
  readonly service: ServiceName;
  /** The command that looks at everything, for the hint. */
  readonly checkUp: string;
}

/**
 * Looks whether everything is healthy, whose services would be stopped, and who can measure.
 * @throws DrillRefused with every reason
 */
export async function lookBefore({ cluster, service: name, checkUp }: DrillSubject, world: World): Promise<Position> {
  const service = serviceNamed(cluster, name);
  if (name === 'etcd' && cluster.external !== undefined) throw othersRunIt(cluster.external);
  const group = SERVICE_GROUPS[name];
  if (service === undefined || service.balancers.length < 2)
    throw new DrillRefused(
      [`${name} has no virtual IP, or only one load balancer`],
      `set ${group}_ip, and two hosts in ${group}`,
    );
  const look = world.newLook();
  const [shut, holder] = await Promise.all([shutGates(service, world, look), holderOf(service, look)]);
  if (holder === undefined || shut.length > 0) throw new DrillRefused(shut, checkUp);
  const [unsafe, observer] = await Promise.all([
    unsafeUnits(service, holder, look.probe(holder)),
    findObserver(observerCandidates(service, holder), service, (host) => look.probe(host)),
  ]);
  if (unsafe.length > 0) throw new DrillRefused(unsafe, checkUp);
  if (observer === undefined) throw new DrillRefused([`no other host reaches ${name} through the virtual IP`], checkUp);
  const others = service.balancers.map(({ host }) => host).filter((host) => host !== holder);
  return { service, holder, others, observer };
}

function othersRunIt({ ip, name }: ExternalBalancer): DrillRefused {
  return new DrillRefused(
    [`others run the load balancer of etcd (${ip ?? name ?? ''}): this program has none to stop there`],
    'test its fail-over with whoever runs it; without it: provision bypass INVENTORY on',
  );
}

async function shutGates(service: VirtualService, { gates }: World, look: Look): Promise<readonly string[]> {
  const batch = service.balancers.map(({ host }) => host);
  const probe = (host: string): Probe => look.probe(host);
  const answers = await Promise.all(
    drillGates(service).map(async (name) => ({
      name,
      answer: await gates.get(name)?.check({ probe, when: 'before', batch, play: batch, arguments: {} }),
    })),
  );
  return answers.flatMap(({ name, answer }) =>
    answer?.open === true ? [] : [`gate ${name} did not open: ${answer?.reason ?? 'there is no such gate'}`],
  );
}

/** Who holds the virtual IP; one of them, where gates tell that there are several. */
export async function holderOf({ balancers, endpoint }: VirtualService, look: Look): Promise<string | undefined> {
  const found = await Promise.all(
    balancers.map(async ({ host }) => ({ host, addresses: await look.probe(host).ask(hostAddresses, ALL_ADDRESSES) })),
  );
  return found.find(({ addresses }) => addresses.some(({ address }) => address === endpoint.ip))?.host;
}

/** The systemd units of a balancer's parts, in the order of {@link PARTS}. */
export function unitsOf({ balancers }: VirtualService, host: string): readonly string[] {
  const balancer = balancers.find((each) => each.host === host);
  return balancer === undefined ? [] : PARTS.map((part) => balancer[part].unit);
}

/** A service that would not start at boot stays down when its host loses power in the middle of a drill. */
async function unsafeUnits(service: VirtualService, holder: string, probe: Probe): Promise<readonly string[]> {
  const states = await Promise.all(
    unitsOf(service, holder).map(async (unit) => ({ unit, ...(await probe.ask(unitState, unit)) })),
  );
  return states.flatMap(({ unit, active, enabled }) => [
    ...(active ? [] : [`${unit} does not run on ${holder}`]),
    ...(enabled ? [] : [`${unit} would not start at boot on ${holder}`]),
  ]);
}
