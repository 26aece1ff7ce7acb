import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';
import { unlockCommand } from './lock-cluster.js';
import { addRunOptions, type RunOptions } from './run-options.js';

/** The options of `plan` alone. */
export interface PlanOptions extends RunOptions {
  /** Where the plan is saved, for `apply --plan`. */
  readonly out?: string;
}

/** `provision plan INVENTORY`: what apply would do. It changes nothing, on no machine. */
export function definePlanCommand(verb: Command, context: Context): void {
  addRunOptions(verb)
    .option('-o, --out <file>', 'save the plan, to be applied exactly with `apply --plan FILE`')
    .action(async (inventory: string, options: PlanOptions) => {
      await runPlan(inventory, options, context);
    });
}

/** Plans, shows and saves. Also what `apply --dry-run` does. */
export async function runPlan(inventory: string, options: PlanOptions, context: Context): Promise<void> {
  const { withRun } = await import('./run.js');
  await withRun({ command: 'plan', inventory, options }, context, async ({ session, emit, begun }) => {
    const { plan, locks, missing } = await session.plan();
    const { tellLocks } = await import('../engine/left-lock.js');
    const { isGoneHolder } = await import('./lock-holder.js');
    tellLocks(locks, { emit, isGone: isGoneHolder, unlockCommand: unlockCommand(inventory) });
    emit({ type: 'planned', plan });
    if (missing !== undefined) {
      if (options.out !== undefined) emit({ type: 'notice', message: notSaved(options.out) });
      throw missing;
    }
    if (options.out !== undefined) {
      const { savePlan } = await import('../engine/saved-plan.js');
      await savePlan(options.out, plan);
      const [file, apply] = [quote(options.out), `provision apply ${quote(inventory)}`];
      const next = [`show it with: provision show ${file}`, `apply it with: ${apply} --plan ${file}`];
      emit({ type: 'notice', message: [`the plan is saved in ${options.out}`, ...next].join('\n') });
    }
    const { summarisePlan } = await import('../model/plan.js');
    const { changes, unknown, unchanged } = summarisePlan(plan);
    emit({ type: 'run-finished', result: { changed: 0, unchanged, failed: 0, elapsedMs: Date.now() - begun } });
    return options.detailedExitcode === true && changes + unknown > 0 ? EXIT.changesPending : EXIT.done;
  });
}

/** A plan without some of its hosts is not saved; a file of an earlier one stays, and could be taken for this one. */
function notSaved(file: string): string {
  const former = existsSync(file) ? `; the file that is there is from before, and not this plan` : '';
  return `a host is missing in the plan, which was not saved in ${file}${former}`;
}
