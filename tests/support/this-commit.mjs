// What picks a part of long work, another one for each commit. Plain JavaScript: jest's own configuration reads it too.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** A number for each commit, other ones for each index. @param index below 32 @param below at most 256 */
export function numberOfThisCommit(index, below) {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
  return (
    (createHash('sha256')
      .update((stdout ?? '').trim())
      .digest()[index] ?? 0) % below
  );
}
