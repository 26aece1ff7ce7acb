import { InvalidArgumentError, type Command } from 'commander';
import { EXIT, ProvisionError } from '../model/errors.js';
import type { RunCommand } from '../model/events.js';
import type { Plan } from '../model/plan.js';
import { counted } from '../model/counted.js';
import type { World } from '../engine/world.js';
import type { Context } from './context.js';
import { requireUnlocked, settleLocks, whileLocked } from './lock-cluster.js';
import { runPlan } from './plan.js';
import { addRunOptions, type RunOptions } from './run-options.js';
import type { OwnPlays, Session } from './session.js';

/** The options of `apply`. */
export interface ApplyOptions extends RunOptions {
  /** A saved plan: it is applied exactly, or refused. */
  readonly plan?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** `provision apply INVENTORY`: plans, asks, and performs just that plan. */
export function defineApplyCommand(verb: Command, context: Context): void {
  addActingOptions(addRunOptions(verb))
    .option('--plan <file>', 'apply this saved plan exactly, or refuse and say what drifted')
    .option('--dry-run', 'the same as `provision plan INVENTORY`')
    .action(async (inventory: string, options: ApplyOptions) => {
      await (options.dryRun === true ? runPlan(inventory, options, context) : runApply(inventory, options, context));
    });
}

/** Adds the options of every verb that plans, asks and performs. */
export function addActingOptions(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--gate-timeout <seconds>', 'how long to wait at each gate, in place of its own time', parseSeconds);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new InvalidArgumentError('expected a whole number of seconds, at least 1');
  return seconds;
}

/** What a verb does that plans and performs as `apply` does. */
export interface ActingVerb {
  /** What the journal calls it. */
  readonly command: RunCommand;
  /** Asked before anything is planned. @throws ProvisionError */
  readonly check?: (session: Session) => void;
  /** `of-playbook`: {@link playsOf} uses them. */
  readonly plays?: 'of-playbook';
  /** Plays in place of those of the playbook. */
  readonly playsOf?: (session: Session) => OwnPlays | Promise<OwnPlays>;
  /** Hosts of members that are known to be gone: the lock is kept without them. */
  readonly cannotLock?: () => readonly string[];
  /** Asked for in place of a yes. @throws ProvisionError where it is not given */
  readonly consent?: (session: Session) => Promise<void>;
  /** Asked under the locks, right before the first change: whether what was agreed to may still be done. @throws ProvisionError */
  readonly lastLook?: (session: Session) => Promise<void>;
}

/** Plans, shows, asks, locks the cluster and performs. */
export async function runApply(
  inventory: string,
  options: ApplyOptions,
  context: Context,
  { command, check, plays: whose, playsOf, cannotLock, consent, lastLook }: ActingVerb = { command: 'apply' },
): Promise<void> {
  const { withRun } = await import('./run.js');
  // A dry run is a plan: it writes nothing anywhere.
  const journal = options.dryRun === true ? 'none' : 'kept';
  const plays = playsOf === undefined ? undefined : (whose ?? 'own');
  const request = { command, inventory, options, journal, plays } as const;
  await withRun(request, context, async ({ session, emit, settled, begun, startActing }) => {
    check?.(session);
    // A file that is no plan is refused before any host is asked.
    if (options.plan !== undefined) await (await import('./given-plan.js')).readGivenPlan(options.plan);
    const own = await playsOf?.(session);
    const { plan, locks, missing } = await session.plan(own);
    if (missing !== undefined) {
      emit({ type: 'planned', plan });
      throw missing;
    }
    const { hostsToChange, summarisePlan } = await import('../model/plan.js');
    const needs = { inventory, session, acted: hostsToChange(plan), seen: locks, gone: cannotLock?.() };
    if (options.plan !== undefined) {
      // Where another run is in the middle of it, what differs is its work: that one is waited for, and no plan is stale yet.
      await requireUnlocked(needs);
      const { refuseDrift } = await import('../engine/saved-plan.js');
      await refuseDrift(options.plan, plan);
    }
    emit({ type: 'planned', plan });
    const { changes, unknown, unchanged } = summarisePlan(plan);
    if (options.dryRun === true) {
      emit({ type: 'run-finished', result: { changed: 0, unchanged, failed: 0, elapsedMs: Date.now() - begun } });
      return options.detailedExitcode === true && changes + unknown > 0 ? EXIT.changesPending : EXIT.done;
    }
    if (changes + unknown === 0) {
      await settleLocks(inventory, locks, session);
      emit({ type: 'run-finished', result: { changed: 0, unchanged, failed: 0, elapsedMs: Date.now() - begun } });
      return EXIT.done;
    }
    await requireUnlocked(needs);
    await settled();
    if (consent !== undefined) await consent(session);
    else if (options.yes !== true && options.plan === undefined) await confirm(context, changes, unknown);
    startActing();
    const { world } = session;
    const result = await whileLocked(needs, async () => {
      await prepare(plan, world);
      await lastLook?.(session);
      const { applyPlan } = await import('../engine/applier.js');
      return applyPlan(plan, own?.plays ?? session.plays, world);
    });
    emit({ type: 'run-finished', result });
    return options.detailedExitcode === true ? EXIT.changesPending : EXIT.done;
  });
}

/** What a person may be asked for is asked before anything is changed. */
async function prepare(plan: Plan, world: World): Promise<void> {
  await unlockSigner(plan, world);
  if (await hasAction(plan, /^save-snapshot$/)) await world.prepareSnapshot();
}

async function confirm(context: Context, changes: number, unknown: number): Promise<void> {
  const what = [
    ...(changes > 0 ? [counted(changes, 'change')] : []),
    ...(unknown > 0 ? [`what is known after apply (${unknown})`] : []),
  ];
  if (await context.ask.confirm(`Perform ${what.join(', and ')}?`)) return;
  throw new ProvisionError({ code: 'declined', message: 'declined: nothing was changed' });
}

/** A wrong passphrase, or a certificate that an external CA signed wrongly, must show before any host is touched. */
async function unlockSigner(plan: Plan, { signer, newLook }: World): Promise<void> {
  const { plannedCertificates } = await import('../engine/planned-certificates.js');
  const certificates = plannedCertificates(plan);
  if (certificates.length === 0 && !(await hasAction(plan, /^(?:create|move)-authority$/))) return;
  const look = newLook();
  await signer.unlock(certificates, (host) => look.probe(host));
}

async function hasAction(plan: Plan, kinds: RegExp): Promise<boolean> {
  const { plannedChanges } = await import('../model/plan.js');
  return plannedChanges(plan).some(({ change }) => change.actions.some(({ kind }) => kinds.test(kind)));
}
