import type { Connector } from '../model/remote.js';
import { breakLock, findLock } from './lock.js';
import { describeHolder, type FoundLock } from './lock-holder.js';
import { asError } from './run-error.js';

/** What was found on the hosts. */
export interface FoundLocks {
  readonly locks: readonly FoundLock[];
  /** Why a host could not be asked, a line each. */
  readonly silent: readonly string[];
}

/** Asks every host for its lock. */
export async function findLocks(hosts: readonly string[], connector: Connector): Promise<FoundLocks> {
  const asked = await Promise.allSettled(hosts.map((host) => findLock(host, connector)));
  return {
    locks: asked.flatMap((each) => (each.status === 'fulfilled' && each.value !== undefined ? [each.value] : [])),
    silent: asked.flatMap((each) => (each.status === 'rejected' ? [asError(each.reason).message] : [])),
  };
}

/** What came of breaking locks. */
export interface BrokenLocks {
  /** The hosts that are no longer locked. */
  readonly unlocked: readonly string[];
  /** Why one still remains, a line each. */
  readonly standing: readonly string[];
}

/** Breaks just these locks, and looks whether they are gone. */
export async function breakLocks(locks: readonly FoundLock[], connector: Connector): Promise<BrokenLocks> {
  const unlocked: string[] = [];
  const standing: string[] = [];
  await Promise.all(
    locks.map(async (lock) => {
      try {
        const left = await breakLock(lock, connector);
        if (left === undefined) unlocked.push(lock.host);
        else standing.push(`${lock.host}: by now it is locked by ${describeHolder(left.holder)}`);
      } catch (error) {
        standing.push(asError(error).message);
      }
    }),
  );
  return { unlocked: unlocked.sort(), standing };
}
