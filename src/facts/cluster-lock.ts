import type { Fact } from '../model/remote.js';
import { readLockScript } from '../shell/lock.js';

/** The one key of {@link clusterLock}. */
export const LOCK = 'lock';

/**
 * Key: {@link LOCK}. The lock on the host, as `readLockScript` prints it; `undefined` when there is none, or
 * who asks is not root.
 */
export const clusterLock: Fact<string | undefined> = {
  name: 'cluster-lock',
  script: readLockScript,
  parse(stdout, keys) {
    const mark = stdout.trim();
    return new Map(keys.map((key) => [key, mark === '' ? undefined : mark]));
  },
};
