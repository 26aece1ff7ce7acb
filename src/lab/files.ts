import { readFile, readdir } from 'node:fs/promises';

/** Whether a thrown value is a system error with this code: `ENOENT`, `EEXIST`, … */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** Gone or never there. ESRCH: the process of a /proc file has ended while it was read. */
function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH');
}

/** What a promise gives, or undefined when the file that it needs is not there. Other failures are thrown. */
export async function ifThere<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The text of a file, UTF-8; undefined when it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return ifThere(readFile(path, 'utf8'));
}

/** The names in a directory; none when it is not there. */
export async function listIfThere(path: string): Promise<readonly string[]> {
  return (await ifThere(readdir(path))) ?? [];
}
