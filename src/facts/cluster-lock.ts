import type { Fact } from '../model/remote.js';
import { readLockScript } from '../shell/lock.js';

/** The one key of {@link clusterLock}. */
export const LOCK = 'lock';

/** Key: {@link LOCK}. The text of the lock that stands on the host; `undefined` when there is none. */
export const clusterLock: Fact<string | undefined> = {
  name: 'cluster-lock',
  script: readLockScript,
  parse(stdout, keys) {
    const text = stdout.trim();
    return new Map(keys.map((key) => [key, text === '' ? undefined : text]));
  },
};
