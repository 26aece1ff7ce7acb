import { createHash, type Hash } from 'node:crypto';
import { relative } from 'node:path';
import { InputError, ProvisionError, type Problem, type SourcePosition } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { readBounded } from '../model/read-bounded.js';

/** One loaded file. `file` is the path as it is shown: relative when the user typed a relative one. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  /** The file was encrypted as a whole (`ansible-vault encrypt`): every value in it is a secret. */
  readonly confidential: boolean;
}

/** What all files of one load have in common. */
export interface LoadLog {
  /** Warnings, in the order in which they were found. */
  readonly warnings: Problem[];
  /** Takes every loaded byte, so that equal digests mean equal inventories. */
  readonly digest: Hash;
  /** Absolute: files go into the digest by their paths from here, so that `./inv` and `inv` are one inventory. */
  readonly root: string;
}

/** A log for one load. @param root the directory of the inventory, absolute */
export function startLog(root: string): LoadLog {
  return { warnings: [], digest: createHash('sha256'), root };
}

/** An error at a place in a file. */
export function problemAt(at: SourcePosition | undefined, subject: string, message: string): InputError {
  return new InputError([{ severity: 'error', at, subject, message }]);
}

/** Adds a warning to the log. */
export function warn(log: LoadLog, at: SourcePosition, subject: string, message: string): void {
  log.warnings.push({ severity: 'warning', at, subject, message });
}

/** An inventory of 20 000 hosts has 3 MiB; what is much larger is no inventory, or has no end (`/dev/zero`). */
export const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads a file as UTF-8 and adds it to the digest.
 * @throws ProvisionError `unreadable` when there is no such file, it is a directory, too large, or may not be read
 * @throws InputError when it is not UTF-8, or holds a NUL byte
 */
export async function readSource(path: string, file: string, log: LoadLog): Promise<string> {
  const bytes = await attemptFile(file, () => readBounded(path, MAX_BYTES));
  const name = relative(log.root, path);
  log.digest.update(`${name.length}:${name}:${bytes.length}:`).update(bytes);
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const before = bytes.subarray(0, nul).toString('latin1').split('\n');
    const at = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw problemAt(at, 'encoding', 'the file holds a NUL byte: it is not text');
  }
  try {
    // Python's utf-8 codec and Ansible leave a byte order mark to the parser; TextDecoder drops it.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const line = bytes.subarray(0, firstInvalidByte(bytes)).toString('latin1').split('\n').length;
    throw new InputError(
      [
        {
          severity: 'error',
          at: { file, line, column: 1 },
          subject: 'encoding',
          message: 'the file is not UTF-8 text',
        },
      ],
      error instanceof Error ? `convert it: iconv -f latin1 -t utf-8 ${file}` : undefined,
    );
  }
}

/** Index of the first byte that does not decode as UTF-8. */
function firstInvalidByte(bytes: Buffer): number {
  const replaced = bytes.toString('utf8').indexOf('\uFFFD');
  return Buffer.byteLength(bytes.toString('utf8').slice(0, Math.max(replaced, 0)));
}

/**
 * Something that is done with a file.
 * @throws ProvisionError `unreadable` in place of an error of the file system
 */
export async function attemptFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ProvisionError({
      code: 'unreadable',
      message: `${file}: cannot be read: ${fileReason(error)}`,
      hint: `check the path and its permissions: ls -l ${file}`,
      cause: error,
    });
  }
}
