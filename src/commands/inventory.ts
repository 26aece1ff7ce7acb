import { Option, type Command } from 'commander';
import { EXIT, formatProblem } from '../model/errors.js';
import { printableJson } from '../report/terminal-text.js';
import type { Context } from './context.js';
import { addInventoryOptions, openInventory, type InventoryOptions } from './inventory-options.js';

interface Options extends InventoryOptions {
  readonly format: 'json' | 'yaml';
  readonly limit?: string;
}

/** What this verb needs of the process. */
type Output = Pick<Context, 'env' | 'exit' | 'stdout' | 'stderr'>;

/** Adds `provision inventory FILE`: what the inventory says, as `ansible-inventory --list` prints it. */
export function addInventoryCommand(program: Command, context: Output): void {
  const command = program
    .command('inventory')
    .description('print groups and merged variables of an inventory, as `ansible-inventory --list` does')
    .argument('<file>', 'inventory file or directory, YAML or INI')
    .addOption(new Option('--format <format>', 'output format').choices(['json', 'yaml']).default('json'))
    .option('--limit <pattern>', 'only these hosts, by an Ansible host pattern: etcd:!etcd-2');
  addInventoryOptions(command).action(async (file: string, options: Options) => {
    await printInventory(file, options, context);
  });
}

async function printInventory(file: string, options: Options, context: Output): Promise<void> {
  const { listAsJson, listAsTree } = await import('../ansible/list-inventory.js');
  const { selectHosts } = await import('../ansible/host-patterns.js');
  const inventory = await openInventory(file, options, context);
  for (const warning of inventory.warnings) context.stderr.write(`${formatProblem(warning)}\n`);
  const hosts = selectHosts(inventory, options.limit ?? 'all');
  if (options.format === 'json') context.stdout.write(`${printableJson(listAsJson(inventory, hosts), 4)}\n`);
  else
    context.stdout.write(
      (await import('yaml')).stringify(listAsTree(inventory, hosts), {
        version: '1.1',
        lineWidth: 0,
        aliasDuplicateObjects: false,
      }),
    );
  context.exit(EXIT.done);
}
