import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from '@jest/globals';
import { loadInventory, type LoadOptions } from '../../src/ansible/load-inventory.js';
import { PROVIDED_VARIABLES } from '../../src/cluster/derived-variables.js';
import type { Host, Inventory } from '../../src/model/inventory.js';

const made: string[] = [];

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true });
});

/** Writes files into a new directory that is gone after the tests. @returns the directory */
export function writeFiles(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'provision-inventory-'));
  made.push(directory);
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
