import { INPUT } from '../model/error-codes/input.js';
import type { ErrorCode } from '../model/error-codes.js';

/** Where the message says it all: what was typed, answered or written in a file, and Ctrl-C. */
function saysAll(code: ErrorCode): boolean {
  return code in INPUT || code === 'interrupted';
}

/**
 * The command that explains what failed, for the hints: none, or one for all codes.
 * @param codes of the failures; `undefined` is a bug, which nothing explains
 */
export function wayToExplain(codes: readonly (ErrorCode | undefined)[]): readonly string[] {
  const explained = codes.filter((code) => code !== undefined).filter((code) => !saysAll(code));
  return explained.length === 0 ? [] : [`provision explain ${[...new Set(explained)].join(' ')}`];
}
