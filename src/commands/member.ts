import type { Command } from 'commander';
import { ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import { addActingOptions, runApply, type ApplyOptions } from './apply.js';
import type { Context } from './context.js';
import { addPlanningOptions } from './run-options.js';
import { reportOption } from './report-option.js';
import type { Session } from './session.js';
import { INVENTORY } from './inventory-options.js';

/** `provision member replace INVENTORY HOST`: a new member in place of one whose host is gone for good. */
export function defineMemberCommand(member: Command, context: Context): void {
  const replace = member
    .command('replace')
    .description(
      'plan, ask, and replace a dead member by a new one on a bare host with its name, at the address that the inventory has',
    )
    .argument('<inventory>', INVENTORY)
    .argument('<host>', 'the host of the inventory, reinstalled, or another machine in its place')
    .option('--dry-run', 'show what would be done; changes nothing');
  addActingOptions(addPlanningOptions(replace))
    .addOption(reportOption())
    .action(async (inventory: string, host: string, options: Omit<ApplyOptions, 'plan' | 'playbook'>) => {
      await runReplace(inventory, host, { options, context });
    });
}

async function runReplace(
  inventory: string,
  host: string,
  { options, context }: { readonly options: Omit<ApplyOptions, 'plan' | 'playbook'>; readonly context: Context },
): Promise<void> {
  if (options.limit !== undefined)
    throw new ProvisionError({
      code: 'limit-refused',
      message: 'one member is replaced at a time, the one of HOST: it takes no --limit',
      hint: `provision member replace ${quote(inventory)} ${quote(host)}`,
    });
  function check({ cluster }: Session): void {
    const hosts = cluster.members.map((each) => each.host);
    if (!hosts.includes(host))
      throw new ProvisionError({
        code: 'unknown-member',
        message: `${host} is no etcd host of the inventory`,
        hint: `expected one of: ${hosts.join(', ')}`,
      });
  }
  const limited = { ...options, playbook: 'replace-member', limit: host };
  await runApply(inventory, limited, context, { command: 'member replace', check });
}
