import type { Command } from 'commander';
import { InputError, ProvisionError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';

/** The options of every verb that reads an inventory. */
export interface InventoryOptions {
  readonly vaultPasswordFile?: string;
}

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
  const { readVaultPassword } = await import('../ansible/vault-password.js');
  const passwordFile = vaultPasswordFile ?? env['ANSIBLE_VAULT_PASSWORD_FILE'];
  const vaultPassword = passwordFile === undefined ? undefined : await readVaultPassword(passwordFile);
  try {
    return await loadInventory(file, { home: env['HOME'], vaultPassword, provided: PROVIDED_VARIABLES });
  } catch (error) {
    if (error instanceof InputError) await refuseSavedPlan(file);
    throw error;
  }
}

/** A plan in the place of the inventory is known for what it is. @throws ProvisionError `plan-not-inventory` */
async function refuseSavedPlan(file: string): Promise<void> {
  const { isSavedPlan } = await import('../engine/saved-plan.js');
  if (!(await isSavedPlan(file))) return;
  throw new ProvisionError({
    code: 'plan-not-inventory',
    message: `${file} is a saved plan, not an inventory`,
    hint: `show it with: provision show ${quote(file)}; apply it with the inventory that it was made from: provision apply INVENTORY --plan ${quote(file)}`,
  });
}
