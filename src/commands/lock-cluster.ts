import type { Lock } from '../engine/lock.js';
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
    unlockCommand: `provision unlock ${quote(inventory)}`,
  });
}
