import type { FoundLock, Lock } from '../engine/lock.js';
import { quote } from '../shell/quote.js';
import type { Session } from './session.js';

/** Locks the cluster for a run that changes something. @throws ProvisionError `locked`, `lock-unsure` */
export async function lockCluster(inventory: string, { lockHosts, world }: Session): Promise<Lock> {
  const { takeLock } = await import('../engine/lock.js');
  const { isGoneHolder, thisHolder } = await import('./lock-holder.js');
  return takeLock({
    hosts: lockHosts,
    holder: thisHolder(inventory, new Date()),
    isGone: isGoneHolder,
    connector: world.connector,
    emit: world.emit,
    unlockCommand: unlockCommand(inventory),
  });
}

/** For a run that has nothing to change: removes locks that no run will come back for, and tells of others. */
export async function settleLocks(inventory: string, locks: readonly FoundLock[], { world }: Session): Promise<void> {
  if (locks.length === 0) return;
  const { clearLeftLocks } = await import('../engine/left-lock.js');
  const { isGoneHolder } = await import('./lock-holder.js');
  const { connector, emit } = world;
  await clearLeftLocks(locks, { isGone: isGoneHolder, connector, emit, unlockCommand: unlockCommand(inventory) });
}

/** What breaks the lock of a cluster on purpose. */
export function unlockCommand(inventory: string): string {
  return `provision unlock ${quote(inventory)}`;
}
