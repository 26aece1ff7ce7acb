import { readdir } from 'node:fs/promises';
import { InputError, ProvisionError } from '../model/errors.js';
import { printable } from '../report/terminal-text.js';
import type { Terminal } from '../wizard/terminal.js';
import { openInventory } from './inventory-options.js';

/** As many files are tried; a directory with more is no place of inventories. */
const MOST_FILES = 20;

/**
 * What `provision` alone offers on a terminal: a new inventory, or the verbs for those that lie here.
 * @returns the words of the verb that was chosen
 * @throws ProvisionError `cancelled`
 */
export async function startHere(terminal: Terminal, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const { chooseOnTerminal } = await import('../wizard/choose-on-terminal.js');
  const found = await inventoriesHere(env);
  const choices = found.flatMap((file) => [
    { name: `plan ${printable(file)}: show what apply would do; changes nothing`, words: ['plan', file] },
    { name: `verify ${printable(file)}: check the health of the cluster; changes nothing`, words: ['verify', file] },
    { name: `apply ${printable(file)}: plan, ask for confirmation, and perform the plan`, words: ['apply', file] },
  ]);
  return chooseOnTerminal(terminal, 'What do you want to do?', [
    ...choices,
    { name: 'init: ask for hosts and addresses, and write an inventory', words: ['init'] },
    { name: 'see all verbs', words: ['--help'] },
  ]);
}

/** The files of this directory that are inventories with etcd in them. */
async function inventoriesHere(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const names = (await readdir('.')).filter((name) => /^[^.].*\.(?:ya?ml|ini)$/.test(name)).toSorted();
  const tried = await Promise.all(
    names.slice(0, MOST_FILES).map(async (name) => {
      try {
        const { groups } = await openInventory(name, {}, { env });
        return groups.has('etcd') ? [name] : [];
      } catch (error) {
        // One that is wrong is offered too: the verb says what is wrong in it.
        if (error instanceof InputError && /^inventory|^hosts/.test(name)) return [name];
        if (error instanceof ProvisionError) return [];
        throw error;
      }
    }),
  );
  return tried.flat();
}
