import { RunError } from '../engine/run-error.js';
import type { World } from '../engine/world.js';
import { ProvisionError } from '../model/errors.js';
import { serviceNamed } from '../model/virtual-service.js';
import { proxyOf } from '../proxies/table.js';
import { failOver, putBack, type Failure } from './fail-over.js';
import { holderOf, lookBefore, PARTS, unitsOf, type DrillSubject, type Position } from './look-before.js';
import { collectProblems, type Problems } from './problems.js';
import { beginWatch, type Watch } from './watch.js';

/** The drill as a play, in events and in the journal. */
const DRILL = 'failover drill';

/** Either is known at once (playbooks/templates/proxy-down.conf.j2); the next balancer then waits (256 − its priority) / 256 s. */
const USUAL = { gap: 'about 1 s', all: 'half a minute' } as const;

/** How much longer than the timer of the host a measurement may run, in seconds: for gates to open after it. */
const SPARE_S = 120;

/** What a drill is given. */
export interface DrillRequest extends DrillSubject {
  /** When a host starts its service again by itself, in seconds. */
  readonly restoreAfterS: number;
  /** Unique letters and digits each time. */
  readonly token: () => string;
}

/**
 * Stops each service in turn where the virtual IP is, measures what that does to clients, and starts it again, whatever
 * happens in between. Each begins with a look that must find the cluster healthy.
 * @returns how many services were stopped and restored
 * @throws DrillRefused; ProvisionError `interrupted`; RunError with everything that went wrong
 */
export async function runDrill(request: DrillRequest, world: World): Promise<number> {
  const { cluster, service, checkUp, restoreAfterS } = request;
  const balancers = serviceNamed(cluster, service)?.balancers ?? [];
  world.emit({ type: 'play-started', play: DRILL, hosts: balancers.map(({ host }) => host) });
  for (const index of PARTS.keys()) {
    const position = await lookBefore(request, world);
    const unit = unitsOf(position.service, position.holder)[index] ?? '';
    if (world.interrupted())
      throw new ProvisionError({
        code: 'interrupted',
        message: `stopped on request, before ${unit} was stopped: everything runs`,
        hint: checkUp,
      });
    await oneFailure({ unit, position, restoreAfterS, checkUp }, request, world);
  }
  return PARTS.length;
}

async function oneFailure(failure: Failure, { token }: DrillRequest, world: World): Promise<void> {
  const { unit, position, restoreAfterS } = failure;
  const { holder: host, service } = position;
  const summary = `stop ${unit} while ${service.endpoint.ip} is here, and start it again`;
  const at = { play: DRILL, host, address: `service:${unit}`, summary };
  const begun = world.now();
  world.emit({ type: 'batch-started', play: DRILL, hosts: [host] });
  world.emit({ type: 'change-started', ...at });
  const problems = collectProblems(host);
  const watch = await problems.noting(() =>
    beginWatch(position, { token: token(), limitS: restoreAfterS + SPARE_S }, world),
  );
  if (watch !== undefined) await failAndMeasure({ failure, watch, problems }, world);
  if (problems.all.length === 0) {
    world.emit({ type: 'change-done', ...at, elapsedMs: world.now() - begun });
    return;
  }
  world.emit({ type: 'change-failed', ...at, message: problems.all.map(({ error }) => error.message).join('; ') });
  throw new RunError(`the drill stopped at ${unit} on ${host}`, problems.all);
}

/** What a drill will do, as lines for whoever is asked. */
export function announceDrill(
  { service, holder, others, observer }: Position,
  restoreAfterS: number,
): readonly string[] {
  const { ip } = service.endpoint;
  const near = others.includes(observer.host) ? ', a load balancer itself' : '';
  return [
    `the drill stops ${proxyOf(service).title} on ${holder}, which holds ${ip}, and starts it again; then the same with keepalived where the address is by then`,
    `clients of ${ip} are interrupted twice, usually for ${USUAL.gap} each time; all in all it takes ${USUAL.all}`,
    `if this program is lost in between, a timer of the host starts the service ${restoreAfterS} s after it was stopped`,
    `measured on ${observer.host}${near}; the address may be on another host afterwards (${others.join(' or ')})`,
  ];
}

interface Measuring {
  readonly failure: Failure;
  readonly watch: Watch;
  readonly problems: Problems;
}

/** Whatever goes wrong, the next step is taken all the same: the service is started, and the measurement told. */
async function failAndMeasure({ failure, watch, problems }: Measuring, world: World): Promise<void> {
  const { unit, position } = failure;
  await problems.noting(() => failOver(failure, world));
  const recoveredMs = await putBack(failure, problems, world);
  const holder = await problems.noting(() => holderOf(position.service, world.newLook()));
  const gaps = await problems.noting(() => watch.end());
  if (gaps === undefined) return;
  const { host: observer } = position.observer;
  world.emit({ type: 'drill-measured', service: unit, host: position.holder, holder, observer, ...gaps, recoveredMs });
}
