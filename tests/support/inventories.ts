import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonJson } from '../../src/ansible/python-data.js';
import { loadInventory } from '../../src/ansible/load-inventory.js';
import { readVaultPassword } from '../../src/ansible/vault-password.js';
import { PROVIDED_VARIABLES } from '../../src/cluster/derived-variables.js';
import type { Inventory } from '../../src/model/inventory.js';
import type { PythonValue } from '../../src/model/python-value.js';
import type { Secret } from '../../src/model/secret.js';

/** fixtures/inventories, relative to the repository, which is where tests run. */
const INVENTORIES = 'fixtures/inventories';

/** One fixture: an inventory that the real ansible-inventory reads, and what it printed. */
export interface InventoryFixture {
  /** `ranges/hosts.ini`; the title of the test. */
  readonly name: string;
  readonly path: string;
  readonly passwordFile: string | undefined;
  /** The committed output of the real program. */
  readonly golden: string;
}

/** Every fixture. A directory named `directory` is itself an inventory; all others hold files that are. */
export function inventoryFixtures(): readonly InventoryFixture[] {
  return readdirSync(INVENTORIES).flatMap((room) => {
    const directory = join(INVENTORIES, room);
    const password = join(directory, 'password.txt');
    const fixture = (name: string, path: string): InventoryFixture => ({
      name,
      path,
      passwordFile: existsSync(password) ? password : undefined,
      golden: join('fixtures/ansible-inventory', `${name.replaceAll('/', '__')}.json`),
    });
    if (room === 'directory') return [fixture(room, directory)];
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'password.txt')
      .map((entry) => fixture(`${room}/${entry.name}`, join(directory, entry.name)));
  });
}

/** Loads a fixture with its vault password. */
export async function loadFixture(fixture: InventoryFixture): Promise<Inventory> {
  const vaultPassword: Secret | undefined =
    fixture.passwordFile === undefined ? undefined : await readVaultPassword(fixture.passwordFile);
  return loadInventory(fixture.path, { vaultPassword, provided: PROVIDED_VARIABLES });
}

/** What the real program printed, with what this program hides hidden: values out of files encrypted as a whole. */
export function hideEncryptedFiles(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) =>
    key === 'hidden_text' || key === 'hidden_number' ? '[redacted]' : value,
  );
}

/** The golden output of a fixture. */
export function goldenOf(fixture: InventoryFixture): unknown {
  return hideEncryptedFiles(readFileSync(fixture.golden, 'utf8'));
}

/** A listing as it comes out of the JSON that is printed. */
export function asPrinted(listing: PythonValue): unknown {
  return JSON.parse(pythonJson(listing)) as unknown;
}
