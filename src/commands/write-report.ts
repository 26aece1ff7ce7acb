import { EXIT } from '../model/errors.js';
import type { Context } from './context.js';

/**
 * Writes a report of what is over: how that ended is what counts, so only a success becomes a failure where it can't be written.
 * @param code the exit code without it
 * @returns the exit code
 */
export async function exitAfterReport(
  code: number,
  write: (() => Promise<void>) | undefined,
  { stderr }: Pick<Context, 'stderr'>,
): Promise<number> {
  try {
    await write?.();
    return code;
  } catch (error) {
    stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return code === EXIT.done ? EXIT.failed : code;
  }
}
