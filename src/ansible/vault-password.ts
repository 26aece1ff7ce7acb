import { readFile, stat } from 'node:fs/promises';
import { ProvisionError } from '../model/errors.js';
import { Secret } from '../model/secret.js';

/**
 * Reads the file that `--vault-password-file` names: the password is its text without the white space around it.
 * @throws ProvisionError `vault` when it cannot be read, is empty, or is a program, which Ansible would run
 */
export async function readVaultPassword(path: string): Promise<Secret> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProvisionError({ code: 'vault', message: `vault password file ${path}: ${reason}`, cause: error });
  });
  if (text.startsWith('#!') && ((await stat(path)).mode & 0o111) !== 0) {
    throw new ProvisionError({
      code: 'vault',
      message: `vault password file ${path}: is a program, which is not run`,
      hint: `--vault-password-file <(${path})`,
    });
  }
  if (text.trim() === '') throw new ProvisionError({ code: 'vault', message: `vault password file ${path}: is empty` });
  return new Secret(text.trim());
}
