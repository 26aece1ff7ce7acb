import type { Look } from '../facts/batched-probe.js';
import { asError, failuresOf, RunError, type HostFailure } from './run-error.js';
import { essenceOf } from './drift.js';
import { askWays, lookAtWays } from './look-at-ways.js';
import type { Outcome, Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Order } from '../model/gate.js';
import type { Fact, Probe } from '../model/remote.js';
import type { Plan, PlannedBatch, PlannedHost, PlannedPlay, PlannedStep } from '../model/plan.js';
import type { Play } from '../playbook/play.js';

/** What a plan is made of, besides the look at the hosts. */
export interface PlanRequest {
  readonly plays: readonly Play[];
  readonly orders: ReadonlyMap<string, Order>;
  readonly inventoryDigest: string;
  readonly tool: string;
  readonly playbook: string;
  readonly playbookDigest: string;
  readonly limit: string | undefined;
  /** The command that does the same without these hosts. */
  readonly without: (hosts: readonly string[]) => string;
}

/** A plan, and what it could not be made for. */
export interface PlayPlan {
  readonly plan: Plan;
  /** Hosts of its plays that can't be connected to: the plan is for showing; it is performed without them only when asked for. */
  readonly missing: RunError | undefined;
}

/**
 * Decides all plays in one look: every question to a host, of all plays, leaves in the same turn, so that a host costs
 * one exec when nothing differs.
 * @throws RunError naming every host that could not be looked at, where no host is left, or another reason comes to it
 */
export async function planPlays(request: PlanRequest, look: Look): Promise<PlayPlan> {
  const { failures, ...planned } = await decidePlays(request, look);
  if (failures.length > 0) throw planningFailed(failures);
  return planned;
}

/** Why there is no plan. */
export function planningFailed(failures: readonly HostFailure[]): RunError {
  return new RunError('planning failed: nothing was changed', failures);
}

/** As {@link planPlays}; where it throws, what could be planned, and what could not: there may be more to tell about it. */
export async function decidePlays(
  request: PlanRequest,
  look: Look,
): Promise<PlayPlan & { readonly failures: readonly HostFailure[] }> {
  const decided = await Promise.allSettled(request.plays.map((play) => planPlay(play, request.orders, look)));
  const failures = decided.flatMap((result) => (result.status === 'rejected' ? failuresOf(result.reason) : []));
  const done = decided.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const plays = done.map(({ play }) => play);
  const lost = [...look.lost()].filter(([, error]) => isUnreachable(error));
  const away = [...new Map([...lost, ...done.flatMap((each) => each.away)])];
  const missing = missingHosts(request, away);
  const isNothing = failures.length > 0 || plays.every(({ batches }) => batches.length === 0);
  const { tool, inventoryDigest, playbook, playbookDigest, limit } = request;
  const plan = {
    ...{ tool, inventoryDigest, playbook, playbookDigest, limit, plays: withoutRepeats(plays) },
    away: away.map(([host, error]) => ({ host, because: error.message })),
  };
  return { plan, missing, failures: isNothing ? [...failures, ...(missing?.failures ?? [])] : [] };
}

/** No way to the host: not one that answers, and refuses us or says nonsense. */
function isUnreachable(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.code === 'unreachable';
}

/** Hosts of the plays among these; with the last one, how to go on without them. */
function missingHosts(
  { plays, without }: PlanRequest,
  away: readonly (readonly [string, RemoteError])[],
): RunError | undefined {
  const hosts = new Set(plays.flatMap((play) => play.hosts));
  const missing = away.filter(([host]) => hosts.has(host));
  const names = missing.map(([host]) => host);
  if (missing.length === 0) return undefined;
  const failures = missing.map(([host, error], index): HostFailure => {
    const isLast = index === missing.length - 1 && missing.length < hosts.size;
    const next = isLast ? [`to skip ${names.join(', ')}: ${without(names)}`] : [];
    const { code, message, cause, hint } = error;
    const hints = [...(hint === undefined ? [] : [hint]), ...next];
    return { host, error: new RemoteError({ code, host, message, cause, hint: hints.join('\n') || undefined }) };
  });
  return new RunError(`${names.join(', ')} can't be reached: nothing was changed`, failures);
}

/** What one host's resources in one play come to, in order, the unchanged ones only counted. */
export async function planHost(play: Play, host: string, look: Look): Promise<PlannedHost> {
  const resources = play.resources.get(host) ?? [];
  const decided = await decideAll(host, resources, look);
  const steps = resources.flatMap(({ address, task }, index): PlannedStep[] => {
    const { outcome, before } = decided[index] ?? {};
    return outcome === undefined || outcome.kind === 'unchanged' ? [] : [{ address, task, outcome, before }];
  });
  return { host, steps, unchanged: resources.length - steps.length };
}

/** What a resource decided, and from what. */
interface Decided {
  readonly outcome: Outcome;
  readonly before: string;
}

async function decideAll(host: string, resources: readonly Resource[], look: Look): Promise<readonly Decided[]> {
  const probe = look.probe(host);
  try {
    return await Promise.all(
      resources.map(async (resource) => {
        const told = new Map<string, string>();
        askWays(resource.paths, probe);
        const noted = recording(probe, told);
        const outcome = await lookAtWays(await resource.plan(noted), noted);
        return { outcome, before: JSON.stringify([...told].sort()) };
      }),
    );
  } catch (error) {
    throw new RunError(`${host} could not be planned`, [{ host, error: asError(error) }]);
  }
}

/** The same probe, which notes the evidence of what it learns about its own host. */
function recording(probe: Probe, told: Map<string, string>): Probe {
  return {
    host: probe.host,
    async ask<V>(fact: Fact<V>, key: string): Promise<V> {
      const value = await probe.ask(fact, key);
      if (fact.evidence !== undefined) told.set(`${fact.name} ${key}`, JSON.stringify([fact.evidence(value)]));
      return value;
    },
    on: (host) => probe.on(host),
  };
}

/** One play, and its hosts that can't be connected to. */
interface PlayDecided {
  readonly play: PlannedPlay;
  readonly away: readonly (readonly [string, RemoteError])[];
}

async function planPlay(play: Play, orders: ReadonlyMap<string, Order>, look: Look): Promise<PlayDecided> {
  const [batches, planned] = await Promise.all([
    orderBatches(play, orders, look),
    Promise.allSettled(play.hosts.map((host) => planHost(play, host, look))),
  ]);
  const failures = planned.flatMap((result) => (result.status === 'rejected' ? failuresOf(result.reason) : []));
  const away = planned.flatMap((result, index) =>
    (result.status === 'rejected' ? failuresOf(result.reason) : []).flatMap(({ error }) =>
      isUnreachable(error) && error.host === play.hosts[index] ? [[error.host, error] as const] : [],
    ),
  );
  // A host that needs another one, which is away, fails; one that is away itself is left out.
  const others = failures.filter(({ error }) => !away.some(([, own]) => own === error));
  if (others.length > 0) throw new RunError(`play ${play.name} could not be planned`, failures);
  const limitedOut = (play.limitedOut ?? []).filter((host) => look.lost().has(host));
  const byHost = new Map(
    planned.flatMap((result) => (result.status === 'fulfilled' ? [[result.value.host, result.value] as const] : [])),
  );
  const batched = batches.map((hosts): PlannedBatch => ({ hosts: hosts.flatMap((host) => byHost.get(host) ?? []) }));
  return {
    play: {
      name: play.name,
      order: play.order,
      batchSize: play.batchSize,
      leftOut: [...away.map(([host]) => host), ...limitedOut],
      gatesBefore: play.gatesBefore,
      gatesAfter: play.gatesAfter,
      batches: batched.filter(({ hosts }) => hosts.length > 0),
    },
    away,
  };
}

/** The batches of a play: its order first, then cut by `serial`, or all at once where the order says so. */
async function orderBatches(
  play: Play,
  orders: ReadonlyMap<string, Order>,
  look: Look,
): Promise<readonly (readonly string[])[]> {
  const order = orders.get(play.order);
  if (order === undefined)
    throw new ProvisionError({ code: 'unknown-order', message: `play ${play.name}: there is no order ${play.order}` });
  const { hosts, together } = await order(play.hosts, (host) => look.probe(host));
  const size = together ? hosts.length : (play.batchSize ?? hosts.length);
  return Array.from({ length: Math.ceil(hosts.length / Math.max(1, size)) }, (_, index) =>
    hosts.slice(index * size, (index + 1) * size),
  );
}

/** A change that an earlier play (or an earlier role of the same play) makes already is not listed again. */
function withoutRepeats(plays: readonly PlannedPlay[]): readonly PlannedPlay[] {
  const seen = new Set<string>();
  function isNew(host: string, step: PlannedStep): boolean {
    const packages = step.outcome.kind === 'change' ? (step.outcome.change.installs ?? []) : [];
    const parts = packages.length > 0 ? packages : [`${step.address}\0${essenceOf(step)}`];
    const unseen = parts.map((part) => `${host}\0${part}`).filter((key) => !seen.has(key));
    for (const key of unseen) seen.add(key);
    return unseen.length > 0;
  }
  return plays.map((play) => ({
    ...play,
    batches: play.batches.map((batch) => ({
      hosts: batch.hosts.map((planned) => {
        const steps = planned.steps.filter((step) => isNew(planned.host, step));
        return { ...planned, steps, unchanged: planned.unchanged + planned.steps.length - steps.length };
      }),
    })),
  }));
}
