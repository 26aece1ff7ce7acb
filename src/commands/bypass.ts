import { Argument, type Command } from 'commander';
import { addActingOptions, runApply, type ApplyOptions } from './apply.js';
import type { Context } from './context.js';
import { addPlanningOptions } from './run-options.js';
import { reportOption } from './report-option.js';
import { INVENTORY } from './inventory-options.js';

/** What each way is: a playbook like any other, so that plan, lock, journal and roll-back are those of apply. */
const PLAYBOOKS = { on: 'bypass', off: 'repoint' } as const;

/**
 * `provision bypass INVENTORY on|off`: API servers use the etcd members directly while the load balancer is gone, and go
 * back to the virtual IP once it answers.
 */
export function defineBypassCommand(verb: Command, context: Context): void {
  const command = verb
    .argument('<inventory>', INVENTORY)
    .addArgument(new Argument('<way>', 'on, or off: back to the virtual IP').choices(Object.keys(PLAYBOOKS)));
  addActingOptions(addPlanningOptions(command))
    .addOption(reportOption())
    .action(async (inventory: string, way: keyof typeof PLAYBOOKS, options: ApplyOptions) => {
      await runApply(inventory, { ...options, playbook: PLAYBOOKS[way] }, context, { command: 'bypass' });
    });
}
