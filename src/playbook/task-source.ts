import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isVaultText } from '../ansible/vault.js';
import { fileReason } from '../model/file-reason.js';
import { COPIED_FILE_BYTES, readBoundedSync } from '../model/read-bounded.js';

/** Where a module looks first for what `src` names, beside the playbook: Ansible's folders. */
export type SourceFolder = 'files' | 'templates';

/** Where a file that a task names may be, as Ansible looks for it: in its folder, then beside the playbook. */
function placesOf(directory: string, folder: SourceFolder, src: string): readonly [string, ...string[]] {
  const [inFolder, beside] = [resolve(directory, folder, src), resolve(directory, src)];
  return inFolder === beside ? [beside] : [inFolder, beside];
}

/** The file that a task names; the place where it is looked for first, where there is none. */
export function sourceFile(directory: string, folder: SourceFolder, src: string): string {
  const places = placesOf(directory, folder, src);
  return places.find((place) => existsSync(place)) ?? places[0];
}

/**
 * The text of a file that a task names.
 * @param directory of the playbook
 * @throws Error that says where it was looked for, that it is encrypted, or no text
 */
export function readSource(directory: string, folder: SourceFolder, src: string): string {
  const file = sourceFile(directory, folder, src);
  const text = textOf(file, () => placesOf(directory, folder, src).join(' and '), src);
  // As text, each byte that is none would arrive as U+FFFD, without a word.
  if (text === undefined)
    throw new Error(
      `${file} is not UTF-8 text: only texts are written to hosts; convert it (iconv -t utf-8), or have a package bring it`,
    );
  // Ansible writes what it decrypts: as it is, it would replace a key that works.
  if (isVaultText(text))
    throw new Error(
      `${file} is encrypted with Ansible Vault, and is not decrypted here: set it as a \`!vault\` variable in group_vars/ or host_vars/, and write that with \`copy\` and \`content\``,
    );
  return text;
}

/** Undefined where it is no text. */
function textOf(file: string, places: () => string, src: string): string | undefined {
  try {
    const bytes = readBoundedSync(file, COPIED_FILE_BYTES);
    return isUtf8(bytes) && !bytes.includes(0) ? bytes.toString('utf8') : undefined;
  } catch (cause) {
    const reason = fileReason(cause);
    if (existsSync(file)) throw new Error(`${file} cannot be read: ${reason}`, { cause });
    throw new Error(`${src} cannot be read: ${reason}; looked for ${places()}: put it there, or correct the path`, {
      cause,
    });
  }
}
