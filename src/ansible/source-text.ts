import { createHash, type Hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InputError, ProvisionError, type Problem, type SourcePosition } from '../model/errors.js';

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
}

/** A log for one load. */
export function startLog(): LoadLog {
  return { warnings: [], digest: createHash('sha256') };
}

/** An error at a place in a file. */
export function problemAt(at: SourcePosition | undefined, subject: string, message: string): InputError {
  return new InputError([{ severity: 'error', at, subject, message }]);
}

/** Adds a warning to the log. */
export function warn(log: LoadLog, at: SourcePosition, subject: string, message: string): void {
  log.warnings.push({ severity: 'warning', at, subject, message });
}

/**
 * Reads a file as UTF-8 and adds it to the digest.
 * @throws ProvisionError `unreadable` when there is no such file, it is a directory, or it may not be read
 * @throws InputError when it is not UTF-8
 */
export async function readSource(path: string, file: string, log: LoadLog): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message.replace(/^(\w+): ([^,]*),.*$/s, '$2 ($1)') : String(error);
    throw new ProvisionError({
      code: 'unreadable',
      message: `${file}: cannot be read: ${reason}`,
      hint: `check the path and its permissions: ls -l ${file}`,
      cause: error,
    });
  });
  log.digest.update(`${file.length}:${file}:${bytes.length}:`).update(bytes);
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
