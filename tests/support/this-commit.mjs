// What picks a part of long work, another one for each commit. Plain JavaScript: jest's own configuration reads it too.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/**
 * A number for each commit, other ones for each index; or PROVISION_CASE, which stands for all of them.
 * @param index below 32
 * @param below at most 256
 */
export function numberOfThisCommit(index, below) {
  const forced = process.env.PROVISION_CASE ?? '';
  if (forced !== '' && !/^\d{1,3}$/.test(forced))
    throw new Error(`PROVISION_CASE: ${forced}: expected a number from 0 on`);
  if (forced !== '') return Number(forced) % below;
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
  return (
    (createHash('sha256')
      .update((stdout ?? '').trim())
      .digest()[index] ?? 0) % below
  );
}
