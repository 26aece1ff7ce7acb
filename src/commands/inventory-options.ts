import type { Command } from 'commander';
import { InputError, ProvisionError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { Secret } from '../model/secret.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';

/** The options of every verb that reads an inventory. */
export interface InventoryOptions {
  readonly vaultPasswordFile?: string;
}

/** What the argument `inventory` of every verb is. */
export const INVENTORY = "an inventory in Ansible's format, YAML or INI";

/** Adds the options of {@link InventoryOptions} to a verb. */
export function addInventoryOptions(command: Command): Command {
  return command.option(
    '--vault-password-file <file>',
    'the password of Ansible Vault values (or set ANSIBLE_VAULT_PASSWORD_FILE)',
  );
}

/** Loads an inventory with the vault password that the options, else the environment, name. @throws InputError, ProvisionError */
export async function openInventory(
  file: string,
  { vaultPasswordFile }: InventoryOptions,
  { env }: Pick<Context, 'env'>,
): Promise<Inventory> {
  const { loadInventory } = await import('../ansible/load-inventory.js');
  const { PROVIDED_VARIABLES } = await import('../cluster/derived-variables.js');
  const passwordFile = vaultPasswordFile ?? env['ANSIBLE_VAULT_PASSWORD_FILE'];
  const vaultPassword = passwordFile === undefined ? undefined : await vaultPasswordIn(passwordFile);
  const load = async (): Promise<Inventory> =>
    loadInventory(file, { home: env['HOME'], vaultPassword, provided: PROVIDED_VARIABLES });
  try {
    const inventory = await load();
    // Any text is a list of hosts of INI.
    if (!inventory.groups.has('etcd')) await refuseOtherFile(file);
    return inventory;
  } catch (error) {
    if (error instanceof InputError || (error instanceof ProvisionError && error.code === 'inventory-empty'))
      await refuseOtherFile(file);
    throw error;
  }
}

const vaultPasswords = new Map<string, Promise<Secret>>();

/** Read once for all inventories of a run: it may come out of a pipe. */
async function vaultPasswordIn(file: string): Promise<Secret> {
  const { readVaultPassword } = await import('../ansible/vault-password.js');
  const known = vaultPasswords.get(file) ?? readVaultPassword(file);
  vaultPasswords.set(file, known);
  return known;
}

/** What was given in the place of the inventory is known for what it is. @throws ProvisionError `plan-not-inventory`, `not-an-inventory` */
async function refuseOtherFile(file: string): Promise<void> {
  const { kindOfFile, INVENTORY: ours, DIRECTORY, SAVED_PLAN } = await import('./file-kind.js');
  const kind = await kindOfFile(file);
  if (kind === undefined || kind === ours || kind === DIRECTORY) return;
  if (kind !== SAVED_PLAN)
    throw new ProvisionError({
      code: 'not-an-inventory',
      message: `${file} seems to be ${kind.what}; expected an inventory: hosts in groups, in YAML or INI`,
      hint: kind.next ?? 'name the file with the hosts of the group etcd; `provision init FILE` asks, and writes one',
    });
  throw new ProvisionError({
    code: 'plan-not-inventory',
    message: `${file} is a saved plan, not an inventory`,
    hint: `show it with: provision show ${quote(file)}; apply it with the inventory that it was made from: provision apply INVENTORY --plan ${quote(file)}`,
  });
}
