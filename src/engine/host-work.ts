import { isHostLost, ProvisionError } from '../model/errors.js';
import { lastingOf } from '../model/action.js';
import type { Change } from '../model/change.js';
import type { PlannedHost, PlannedStep } from '../model/plan.js';
import type { Play } from '../playbook/play.js';
import { copyName } from '../shell/kept-copy.js';
import { oneAtATime } from './busy-hosts.js';
import { driftedSteps } from './drift.js';
import { perform, type Undo } from './perform.js';
import { runOrFail } from './run-or-fail.js';
import { planHost } from './planner.js';
import { Interrupted } from './run-error.js';
import type { World } from './world.js';

/** What was done on one host, and how to take it back. */
export interface HostWork {
  readonly host: string;
  readonly changed: number;
  readonly undos: readonly Undo[];
  /** What was done and can't be rolled back: `install haproxy: packages stay installed`. */
  readonly lasting: readonly string[];
}

/** What was begun on a host so far. */
interface Begun {
  readonly undos: Undo[];
  readonly lasting: string[];
  /** Names the copies of the next action. */
  readonly nextCopy: () => string;
}

/** A host is not as it was when the plan was made. */
class PlanStale extends ProvisionError {
  constructor(host: string, drift: readonly string[]) {
    super({
      code: 'plan-stale',
      message: [`${host} has changed since the plan was made:`, ...drift.map((line) => `    ${line}`)].join('\n'),
      hint: 'nothing was done on it; make a new plan',
    });
  }
}

/**
 * Looks again at a host, refuses if it would now do or overwrite anything that the plan did not show, and performs the rest in order.
 * When a change fails, or the look before one, all that was done here is rolled back before the failure is passed on.
 * @param ourWork whether an earlier play of this run has changed the host
 * @throws PlanStale, Interrupted, RemoteError, GateShut
 */
export async function workOnHost(
  play: Play,
  planned: PlannedHost,
  ourWork: 'none' | 'begun',
  world: World,
): Promise<HostWork> {
  const { host } = planned;
  const now = await planHost(play, host, world.newLook());
  const drift = driftedSteps(planned.steps, now.steps, ourWork);
  if (drift.length > 0) throw new PlanStale(host, drift);
  reportSettled(planned, now, world);
  const begun = beginWork(world.now());
  let changed = 0;
  for (const step of now.steps) {
    if (world.interrupted()) throw new Interrupted(host, step.address);
    const change = await changeOf(play, host, step, world).catch(async (error: unknown) => {
      // What was done so far is rolled back as where a change fails: with the rest missing, it is no state that anybody planned.
      if (changed > 0) await rollBack({ play: play.name, host, ...begun, world });
      throw error;
    });
    if (change === undefined) continue;
    await performChange(play, host, step.address, change, begun, world);
    changed += 1;
  }
  return { host, changed, undos: begun.undos, lasting: begun.lasting };
}

function beginWork(now: number): Begun {
  let actions = 0;
  return { undos: [], lasting: [], nextCopy: () => copyName(now, actions++) };
}

/** A change that was planned and is not needed any more is said, not silently dropped. */
function reportSettled(planned: PlannedHost, now: PlannedHost, world: World): void {
  const needed = new Set(now.steps.map((step) => step.address));
  for (const { address, outcome } of planned.steps)
    if (outcome.kind === 'change' && !needed.has(address))
      world.emit({ type: 'notice', host: planned.host, message: `${address}: already so (${outcome.change.summary})` });
}

/** The change of a step; what could not be known when planning is decided now, after the steps before it. */
async function changeOf(play: Play, host: string, step: PlannedStep, world: World): Promise<Change | undefined> {
  if (step.outcome.kind === 'change') return step.outcome.change;
  const again = await planHost(play, host, world.newLook());
  const outcome = again.steps.find(({ address }) => address === step.address)?.outcome;
  if (outcome?.kind === 'unknown')
    throw new ProvisionError({
      code: 'still-unknown',
      message: `${host}: ${step.address} still cannot be decided: ${outcome.because}`,
    });
  return outcome?.change;
}

async function performChange(
  play: Play,
  host: string,
  address: string,
  change: Change,
  begun: Begun,
  world: World,
): Promise<void> {
  const at = { play: play.name, host, address, summary: change.summary };
  const { undos, lasting, nextCopy } = begun;
  const startedAt = world.now();
  world.emit({ type: 'change-started', ...at });
  try {
    for (const action of change.actions) {
      const stays = lastingOf(action);
      if (stays !== undefined) lasting.push(`${change.summary}: ${stays}`);
      await perform(action, host, world, { copy: nextCopy(), undos });
    }
  } catch (error) {
    world.emit({ type: 'change-failed', ...at, message: error instanceof Error ? error.message : String(error) });
    await rollBack({ play: play.name, host, undos, lasting, world });
    throw error;
  }
  world.emit({ type: 'change-done', ...at, elapsedMs: world.now() - startedAt });
}

/**
 * Rolls back what was done on a host, unless what was done refuses it: its files in reverse order, then its services, which run with them again, then
 * the directories and accounts that were made for them.
 */
export async function rollBack({ play, host, undos, lasting, world }: RollBack): Promise<void> {
  const acting = oneAtATime(world);
  let failed = 0;
  const ordered = inOrder(undos);
  for (const [index, { command, restores }] of ordered.entries()) {
    try {
      await runOrFail(command, await acting.connect(host));
      world.emit({ type: 'rolled-back', play, host, address: '', summary: command.summary });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      world.emit({ type: 'notice', host, message: `could not ${command.summary}: ${message}` });
      failed += 1;
      // The rest is still rolled back, half a roll-back is worse than one step less; but not on a host that is away.
      if (isHostLost(error)) {
        sayLeft(host, ordered.slice(index + 1), world);
        break;
      }
      // A service that could not start with what was there before runs on with what it has.
      if (restores === 'all') {
        world.emit({
          type: 'notice',
          host,
          message: 'not rolled back: what was done here stays; the next apply goes on',
        });
        return;
      }
    }
  }
  world.emit({ type: 'notice', host, message: stateAfter(undos.length, failed, lasting) });
}

/** What nobody tries any more on a host that is away, each by its name. */
function sayLeft(host: string, undos: readonly Undo[], world: World): void {
  const names = undos.map(({ command }) => command.summary);
  if (names.length > 0) world.emit({ type: 'notice', host, message: `not tried: ${names.join('; ')}` });
}

function inOrder(undos: readonly Undo[]): readonly Undo[] {
  const those = (kind: Undo['restores']): readonly Undo[] => undos.filter(({ restores }) => restores === kind);
  return [
    ...those('all').toReversed(),
    ...those('files').toReversed(),
    ...those('services'),
    ...those('directories').toReversed(),
    ...those('accounts').toReversed(),
  ];
}

/** What state a roll-back leaves a host in. */
function stateAfter(steps: number, failed: number, lasting: readonly string[]): string {
  if (failed > 0)
    return 'only partly rolled back: check this host; the next apply looks again and completes what is missing';
  if (lasting.length > 0) return `rolled back, except: ${lasting.join('; ')}`;
  return steps === 0 ? 'nothing had to be rolled back' : 'rolled back: files and services are as before this play';
}

interface RollBack {
  readonly play: string;
  readonly host: string;
  readonly undos: readonly Undo[];
  readonly lasting: readonly string[];
  readonly world: World;
}
