import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Shard } from '../fleet/shard.js';
import { addActingOptions } from './apply.js';
import { addConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import type { FleetListOptions } from './fleet-list.js';
import type { FleetOptions } from './fleet-run.js';
import { formatOption } from './format-option.js';
import { addInventoryOptions } from './inventory-options.js';
import { reportOption } from './report-option.js';
import { addPlanningOptions } from './run-options.js';

const DIRECTORY = 'a directory of inventories: NAME.yaml, or NAME/inventory.yaml, for each cluster';
const PLAYBOOK = ['-p, --playbook <name>', 'as for plan'] as const;
/** A plan takes a second of a processor, and waits for hosts besides. */
const DEFAULT_JOBS = 4;

/** `provision fleet list|plan|apply|verify DIR`: many clusters, each on its own, with its own lock. */
export function defineFleetCommand(fleet: Command, context: Context): void {
  chosen(fleet.command('list').description('the clusters of a directory of inventories; connects to no host'))
    .addOption(
      new Option(
        '--format <format>',
        'text; json: one object; github-matrix: for `strategy.matrix` of a workflow; kubernetes: a Job each, which applies its plan',
      )
        .choices(['text', 'json', 'github-matrix', 'kubernetes'])
        .default('text'),
    )
    .option('--plans <directory>', 'of the Jobs: where `fleet plan -o` has saved the plans', 'plans')
    .option('-p, --playbook <name>', 'of the Jobs: what `fleet plan` was given')
    .action(async (directory: string, options: FleetListOptions) => {
      const { listFleet } = await import('./fleet-list.js');
      await listFleet(directory, options, context);
    });
  const plan = worked(fleet.command('plan').description('show what apply would do on each; changes nothing'));
  plan.option(...PLAYBOOK).option('-o, --out <directory>', 'save each plan in it, for `fleet apply --plans DIRECTORY`');
  addPlanningOptions(plan);
  const apply = worked(fleet.command('apply').description('apply on each, without asking: give --plans, or --yes'));
  apply
    .option(...PLAYBOOK)
    .option('--plans <directory>', 'apply exactly the plans that `fleet plan -o` has saved there');
  addActingOptions(addPlanningOptions(apply));
  const verify = worked(fleet.command('verify').description('check the health of each; changes nothing'));
  addConnectionOptions(addInventoryOptions(verify.option(...PLAYBOOK).addOption(formatOption('one object'))));
  for (const verb of [plan, apply, verify] as const)
    verb.action(async (directory: string, options: FleetOptions) => {
      const { workOnFleet } = await import('./fleet-run.js');
      await workOnFleet(directory, options, { context, command: verb });
    });
}

/** Adds what every verb has: the directory, and which clusters of it. */
function chosen(command: Command): Command {
  return command
    .argument('<directory>', DIRECTORY)
    .option('--shard <i/n>', 'only the i-th of n parts, for n machines that share the work', shardOf)
    .option('--changed-since <revision>', 'only clusters with files that differ from this git revision');
}

function worked(command: Command): Command {
  return chosen(command)
    .option('-j, --jobs <number>', 'how many clusters to work on at once', countOf, DEFAULT_JOBS)
    .option('--stop-after <failures>', 'start no further cluster after this many failures', countOf)
    .addOption(reportOption());
}

function shardOf(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [part, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!(part >= 1 && part <= of)) throw new InvalidArgumentError('expected i/n, with i from 1 to n: 2/5');
  return { part, of };
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('expected a whole number, at least 1');
  return count;
}
