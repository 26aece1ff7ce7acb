import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { EXIT, formatProblem, ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import { CLOUDS, type Cloud } from '../terraform/balancer-targets.js';
import type { ModuleFile } from '../terraform/module-files.js';
import type { Context } from './context.js';
import { addInventoryOptions, INVENTORY, openInventory, type InventoryOptions } from './inventory-options.js';
import { shippedModuleFile } from './shipped-playbooks.js';

interface TerraformOptions extends InventoryOptions {
  readonly cloud: Cloud;
  readonly output: string;
}

/** What this verb needs of the process. */
type Output = Pick<Context, 'env' | 'exit' | 'stdout' | 'stderr'>;

/** `provision terraform INVENTORY`: writes a module for a load balancer that a cloud runs. It asks no host. */
export function defineTerraformCommand(verb: Command, context: Output): void {
  const command = verb
    .argument('<inventory>', INVENTORY)
    .addOption(new Option('--cloud <name>', 'the cloud of the load balancer').choices(CLOUDS).makeOptionMandatory())
    .requiredOption(
      '-o, --output <directory>',
      'where to write the module; files that others wrote there are left alone',
    );
  addInventoryOptions(command).action(async (inventory: string, options: TerraformOptions) => {
    await writeModule(inventory, options, context);
  });
}

async function writeModule(file: string, options: TerraformOptions, context: Output): Promise<void> {
  const { clusterWarnings, describeCluster } = await import('../cluster/describe-cluster.js');
  const { balancerTargets, targetNotes } = await import('../terraform/balancer-targets.js');
  const { moduleFiles } = await import('../terraform/module-files.js');
  const { cloud, output } = options;
  const inventory = await openInventory(file, options, context);
  const targets = balancerTargets(describeCluster(inventory), cloud);
  const warnings = clusterWarnings(inventory).map(formatProblem);
  for (const message of [...warnings, ...targetNotes(targets, cloud)]) context.stderr.write(`${message}\n`);
  const words = { inventory: quote(file), directory: quote(output) };
  const template = (name: string): string => shippedModuleFile(cloud, name);
  const written = await writeFiles(output, moduleFiles({ cloud, targets, template, words }));
  for (const { name, did } of written) context.stdout.write(`${did.padEnd(9)} ${join(output, name)}\n`);
  context.stdout.write(`Read on: ${join(output, 'README.md')}\n`);
  context.exit(EXIT.done);
}

/** All or none: nothing is written where a file of others is in the way. */
async function writeFiles(
  directory: string,
  files: readonly ModuleFile[],
): Promise<readonly { readonly name: string; readonly did: 'new' | 'replaced' | 'unchanged' }[]> {
  const { mkdir } = await import('node:fs/promises');
  const { writePrivately } = await import('../pki/store-files.js');
  const { isModuleFile } = await import('../terraform/module-files.js');
  const found = await Promise.all(files.map(async ({ name }) => ({ name, text: await presentText(directory, name) })));
  const foreign = found
    .filter(({ text }) => text !== undefined && !isModuleFile(text))
    .map(({ name }) => join(directory, name));
  if (foreign.length > 0) throw notOurs(foreign);
  await mkdir(directory, { recursive: true });
  const done = [];
  for (const { name, text } of files) {
    const before = found.find((each) => each.name === name)?.text;
    if (before !== text) await writePrivately(join(directory, name), text, 'a file of the module');
    done.push({ name, did: before === text ? 'unchanged' : before === undefined ? 'new' : 'replaced' } as const);
  }
  return done;
}

/** What can't be read is not ours. */
async function presentText(directory: string, name: string): Promise<string | undefined> {
  const { readIfThere } = await import('../pki/store-files.js');
  return readIfThere(join(directory, name)).catch(() => '');
}

function notOurs(paths: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'module-in-the-way',
    message: `${paths.join(', ')}: not written by this program, and left as ${paths.length === 1 ? 'it is' : 'they are'}; nothing was written`,
    hint: 'choose another directory with -o, or move them away',
  });
}
