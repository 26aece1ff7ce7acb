import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadInventory, type LoadOptions } from '../../src/ansible/load-inventory.js';
import { PROVIDED_VARIABLES } from '../../src/cluster/derived-variables.js';
import type { Host, Inventory } from '../../src/model/inventory.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Writes files into a new directory that is gone after the tests. @returns the directory */
export function writeFiles(files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory('inventory');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** Loads an inventory of these files; the first one is the inventory. */
export async function loadFiles(files: Readonly<Record<string, string>>, options?: LoadOptions): Promise<Inventory> {
  return loadInventory(join(writeFiles(files), Object.keys(files)[0] ?? ''), {
    provided: PROVIDED_VARIABLES,
    ...options,
  });
}

/** A host that must be there. */
export function hostOf(inventory: Inventory, name: string): Host {
  const host = inventory.hosts.get(name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}
