import type { FoundLock } from '../engine/lock-holder.js';
import type { Lock } from '../engine/lock.js';
import { quote } from '../shell/quote.js';
import type { Session } from './session.js';

/** What a run that changes something knows about locks. */
export interface LockNeeds {
  readonly inventory: string;
  readonly session: Session;
  /** The hosts that it changes. */
  readonly acted: readonly string[];
  /** The locks that its look has found. */
  readonly seen: readonly FoundLock[];
  /** Hosts of members that are known to be gone. */
  readonly gone?: readonly string[] | undefined;
}

/** Before anybody is asked anything. @throws ProvisionError `locked` when another run may be at work */
export async function requireUnlocked({ inventory, seen }: LockNeeds): Promise<void> {
  const { refuseLocked } = await import('../engine/lock.js');
  const { isGoneHolder } = await import('./lock-holder.js');
  refuseLocked(seen, { isGone: isGoneHolder, unlockCommand: unlockCommand(inventory) });
}

/** Does the work of a run while its hosts are locked. @throws what {@link lockCluster} and the work throw */
export async function whileLocked<T>(needs: LockNeeds, work: () => Promise<T>): Promise<T> {
  const lock = await lockCluster(needs);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/**
 * Locks the hosts of a run that changes something, and removes what dead runs have left on others.
 * @throws ProvisionError `locked`, `lock-unsure`, `lock-needs-root`
 */
async function lockCluster({ inventory, session, acted, seen, gone = [] }: LockNeeds): Promise<Lock> {
  const { takeLock } = await import('../engine/lock.js');
  const { isGoneHolder, thisHolder } = await import('./lock-holder.js');
  const { cluster, memberHosts, world } = session;
  // A play may stand for the control machine, which is nobody's host.
  const hosts = acted.filter((host) => world.hosts.includes(host));
  // A playbook that says nothing about etcd may stop a member all the same.
  const isOfMembers = cluster.members.length > 0 || hosts.some((host) => memberHosts.includes(host));
  const members = isOfMembers ? memberHosts.filter((host) => !gone.includes(host)) : [];
  const lock = await takeLock({
    acted: hosts,
    members,
    holder: thisHolder(inventory, new Date()),
    isGone: isGoneHolder,
    connector: world.connector,
    emit: world.emit,
    interrupted: world.interrupted,
    unlockCommand: unlockCommand(inventory),
    without: session.without,
  });
  const others = seen.filter(({ host }) => !hosts.includes(host) && !members.includes(host));
  try {
    await settleLocks(inventory, others, session);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/** Removes locks that no run will come back for, and tells of others. */
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
