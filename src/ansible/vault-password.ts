import { stat } from 'node:fs/promises';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { readBounded, SECRET_FILE_BYTES } from '../model/read-bounded.js';
import { Secret } from '../model/secret.js';

/**
 * Reads the file that `--vault-password-file` names: the password is its text without the white space around it.
 * @throws ProvisionError `vault` when it cannot be read, is larger than 64 KiB, empty, or is a program, which Ansible would run
 */
export async function readVaultPassword(path: string): Promise<Secret> {
  const bytes = await readBounded(path, SECRET_FILE_BYTES).catch((error: unknown) => {
    const reason = fileReason(error);
    throw new ProvisionError({ code: 'vault', message: `vault password file ${path}: ${reason}`, cause: error });
  });
  const text = bytes.toString('utf8');
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
