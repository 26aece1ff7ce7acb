import { access, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import type { Command } from 'commander';
import { ProvisionError } from '../model/errors.js';
import type { Context } from './context.js';

/** `provision init [FILE]`: asks for hosts and addresses, and writes an inventory. */
export function addInitCommand(program: Command, context: Context): void {
  program
    .command('init')
    .description('ask for hosts and addresses, and write an inventory')
    .argument('[file]', 'the inventory to write', 'inventory.yaml')
    .action((file: string) => runInit(file, context));
}

async function runInit(file: string, context: Context): Promise<void> {
  const { cancellable, requireTerminal } = await import('../wizard/terminal.js');
  const terminal = { input: context.stdin, output: context.streams.stderr };
  requireTerminal(terminal, 'write the inventory with an editor; examples are in inventory/');
  const isThere = await exists(file);
  if (isThere && !(await context.ask.confirm(`${file} is there already. Replace it?`)))
    throw new ProvisionError({
      code: 'declined',
      message: `${file} is left as it is`,
      hint: 'give another name: provision init FILE',
    });
  const { askInventory } = await import('../wizard/ask-inventory.js');
  const { writePrivately } = await import('../pki/store-files.js');
  const { renderInventory } = await import('../wizard/render-inventory.js');
  const answers = await cancellable(
    () => askInventory({ terminal, fileExists: (path) => exists(path.replace(/^~(?=\/)/, homedir())) }),
    'cancelled: no file was written',
  );
  // `wx`: a file that came to be while the questions were asked is not replaced.
  if (isThere) await writePrivately(file, renderInventory(answers), 'the inventory');
  else await writeFile(file, renderInventory(answers), { flag: 'wx', mode: 0o600 });
  context.stdout.write(`Wrote ${file}. See what would be done:\n  provision plan ${file}\n`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
