import { isDeepStrictEqual } from 'node:util';

/** A text that was changed in its own characters, so that all else of it stays. */
export interface TextEdit {
  readonly before: string;
  readonly after: string;
  /** What a text says, as plain data. @throws Error when it cannot be read */
  readonly read: (text: string) => unknown;
  /** What `before` says, with the one wanted difference. */
  readonly change: (data: unknown) => unknown;
}

/**
 * Reads an edited text again: it must say what it said before, with the wanted difference and no other. Spellings that
 * nobody thought of end here, and not on the host.
 * @returns why the edit may not be written, `undefined` for a good one
 */
export function editProblem({ before, after, read, change }: TextEdit): string | undefined {
  const wanted = change(read(before));
  try {
    return isDeepStrictEqual(read(after), wanted) ? undefined : 'read again, it would say more or less than was wanted';
  } catch (error) {
    return `read again, it would be broken: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Plain data with another value at a path. @throws Error when there is nothing to hold it */
export function withValueAt(data: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof data !== 'object' || data === null) throw new Error(`there is nothing that holds ${path.join('.')}`);
  const held = data as Readonly<Record<string | number, unknown>>;
  const inner = withValueAt(held[key], rest, value);
  return Array.isArray(data) ? data.with(Number(key), inner) : { ...held, [key]: inner };
}
