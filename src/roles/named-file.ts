import { InputError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import type { Inventory } from '../model/inventory.js';

/**
 * What a file of the control machine holds that a variable of the cluster names.
 * @param file the variable, and the path that it came to
 * @param read gives what the file holds
 * @throws InputError with the place of the variable, where the file can't be read
 */
export function readNamed<T>(
  file: { readonly variable: string; readonly path: string },
  inventory: Pick<Inventory, 'hosts'>,
  read: (path: string) => T,
): T {
  try {
    return read(file.path);
  } catch (cause) {
    throw unreadableNamed(file, inventory, fileReason(cause));
  }
}

/** An error about a file that a variable names, with the place of the variable. */
export function unreadableNamed(
  { variable, path }: { readonly variable: string; readonly path: string },
  { hosts }: Pick<Inventory, 'hosts'>,
  reason: string,
): InputError {
  const at = [...hosts.values()].map(({ variables }) => variables.at(variable)).find((each) => each !== undefined);
  const message = `names ${path}, which cannot be read: ${reason}; put it there, or correct the path: a relative one starts at the inventory's directory`;
  return new InputError([{ severity: 'error', at, subject: variable, message }]);
}
