import { Option, type Command } from 'commander';
import { EXIT, formatProblem } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import { printableJsonText } from '../report/terminal-text.js';
import type { Context } from './context.js';
import { addInventoryOptions, openInventory, type InventoryOptions } from './inventory-options.js';

interface Options extends InventoryOptions {
  readonly format: 'json' | 'yaml';
  readonly limit?: string;
}

/** What this verb needs of the process. */
type Output = Pick<Context, 'env' | 'exit' | 'stdout' | 'stderr'>;

/** `provision inventory FILE`: what the inventory says, as `ansible-inventory --list` prints it. */
export function defineInventoryCommand(verb: Command, context: Output): void {
  const command = verb
    .argument('<file>', 'inventory file or directory, YAML or INI')
    .addOption(new Option('--format <format>', 'output format').choices(['json', 'yaml']).default('json'))
    .option('--limit <pattern>', 'only these hosts, by an Ansible host pattern: etcd:!etcd-2');
  addInventoryOptions(command).action(async (file: string, options: Options) => {
    await printInventory(file, options, context);
  });
}

async function printInventory(file: string, options: Options, context: Output): Promise<void> {
  const { selectHosts } = await import('../ansible/host-patterns.js');
  const inventory = await openInventory(file, options, context);
  const { clusterWarnings } = await import('../cluster/describe-cluster.js');
  for (const warning of clusterWarnings(inventory)) context.stderr.write(`${formatProblem(warning)}\n`);
  const hosts = selectHosts(inventory, options.limit ?? 'all');
  const print = options.format === 'json' ? printJson : printYaml;
  context.stdout.write(await print(inventory, hosts));
  context.exit(EXIT.done);
}

async function printJson(inventory: Inventory, hosts: readonly string[]): Promise<string> {
  const { listAsJson } = await import('../ansible/list-inventory.js');
  const { pythonJson } = await import('../ansible/python-data.js');
  return `${printableJsonText(pythonJson(listAsJson(inventory, hosts), { indent: 4, unicode: true }))}\n`;
}

async function printYaml(inventory: Inventory, hosts: readonly string[]): Promise<string> {
  const { listAsTree } = await import('../ansible/list-inventory.js');
  const { yamlNode } = await import('../ansible/python-data.js');
  const { stringify } = await import('yaml');
  const style = { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false } as const;
  return stringify(yamlNode(listAsTree(inventory, hosts)), style);
}
