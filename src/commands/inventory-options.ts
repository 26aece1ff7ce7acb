import type { Command } from 'commander';
import type { Inventory } from '../model/inventory.js';
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
  return loadInventory(file, { home: env['HOME'], vaultPassword, provided: PROVIDED_VARIABLES });
}
