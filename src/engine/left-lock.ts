import { clusterLock, LOCK } from '../facts/cluster-lock.js';
import type { Look } from '../facts/batched-probe.js';
import { breakLock, type LockRequest } from './lock.js';
import { describeHolder, foundLock, type FoundLock } from './lock-holder.js';

/**
 * The locks on hosts, read in the look that is under way: it costs no exec of its own. Who can't be asked is
 * left out; the plan tells about it.
 */
export async function locksSeen(hosts: readonly string[], look: Look): Promise<readonly FoundLock[]> {
  const read = await Promise.allSettled(
    hosts.map(async (host) => ({ host, mark: await look.probe(host).ask(clusterLock, LOCK) })),
  );
  return read.flatMap((result): FoundLock[] => {
    if (result.status === 'rejected' || result.value.mark === undefined) return [];
    return [foundLock(result.value.host, result.value.mark)];
  });
}

/** What {@link clearLeftLocks} needs of a {@link LockRequest}. */
type Clearing = Pick<LockRequest, 'isGone' | 'connector' | 'emit' | 'unlockCommand'>;

/**
 * Removes locks whose holder has provably ended, and says so; of others it says that they remain. A run that is killed
 * after its very last change leaves nothing to do, so no later one would take its lock over; and a later one may change
 * fewer hosts.
 * @throws RemoteError
 */
export async function clearLeftLocks(locks: readonly FoundLock[], clearing: Clearing): Promise<void> {
  for (const lock of locks) {
    const { host, holder } = lock;
    const isDead = holder !== undefined && clearing.isGone(holder);
    const left = isDead ? await breakLock(lock, clearing.connector) : lock;
    const message =
      left === undefined
        ? `removed the lock that ${describeHolder(holder)} left behind: that process has ended`
        : describeStanding(left, clearing.unlockCommand);
    clearing.emit({ type: 'notice', host, message });
  }
}

/** A lock that was seen, in the words of a report. */
export interface SeenLock {
  readonly host: string;
  /** Who holds it, and whether that run is over. */
  readonly evidence: string;
  /** What to do about it. */
  readonly next: string;
}

/** Whether the run behind each lock is in progress, or was abandoned. */
export function describeLocks(
  locks: readonly FoundLock[],
  { isGone, unlockCommand }: Pick<Clearing, 'isGone' | 'unlockCommand'>,
): readonly SeenLock[] {
  return locks.map(({ host, holder }) => {
    const who = describeHolder(holder);
    return holder !== undefined && isGone(holder)
      ? {
          host,
          evidence: `a run was abandoned: ${who} has ended; its lock is left`,
          next: 'apply again: it takes the lock over',
        }
      : { host, evidence: `a run is in progress, or was abandoned: locked by ${who}`, next: unlockCommand };
  });
}

/** Says which locks remain. */
export function tellLocks(locks: readonly FoundLock[], { emit, ...asked }: Omit<Clearing, 'connector'>): void {
  for (const { host, evidence, next } of describeLocks(locks, asked)) {
    const way = next === asked.unlockCommand ? `if you are sure that this run has ended: ${next}` : next;
    emit({ type: 'notice', host, message: `${evidence}; ${way}` });
  }
}

function describeStanding({ holder }: FoundLock, unlockCommand: string): string {
  return `locked by ${describeHolder(holder)}; if you are sure that this run has ended: ${unlockCommand}`;
}
