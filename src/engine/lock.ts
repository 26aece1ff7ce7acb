import { isHostLost, ProvisionError, RemoteError } from '../model/errors.js';
import type { EventSink } from '../model/events.js';
import type { Connector } from '../model/remote.js';
import { readLockScript, releaseLockScript, takeLockScript } from '../shell/lock.js';
import { runOrFail } from './perform.js';

/** Who holds the lock of a cluster, since when, and with which inventory. */
export interface LockHolder {
  readonly user: string;
  /** Name of the control machine. */
  readonly machine: string;
  readonly pid: number;
  /** Tells this process from every other one of the same machine and boot; `''` where that can't be told. */
  readonly process: string;
  /** ISO 8601. */
  readonly since: string;
  /** Absolute path on the control machine. */
  readonly inventory: string;
}

/** Where and as whom a lock is taken. */
export interface LockRequest {
  /** Hosts that keep the lock: the same ones for every run on the cluster, whatever its `--limit`. */
  readonly hosts: readonly string[];
  readonly holder: LockHolder;
  /** True only when that process has provably ended. */
  readonly isGone: (holder: LockHolder) => boolean;
  readonly connector: Connector;
  readonly emit: EventSink;
  /** The command that breaks the lock on purpose. */
  readonly unlockCommand: string;
}

/** A lock that is held. */
export interface Lock {
  /** Gives it back. Where a host is away, says what is left there. */
  release(): Promise<void>;
}

/** Somebody else is at work on the cluster. */
class LockHeld extends ProvisionError {
  constructor(host: string, holder: LockHolder | undefined, unlockCommand: string) {
    super({
      code: 'locked',
      message: `${host}: locked by ${describeHolder(holder)}; nothing was changed`,
      hint: `wait for it; if it has ended (a lost control machine), break the lock: ${unlockCommand}`,
    });
  }
}

/** A holder in a few words. */
export function describeHolder(holder: LockHolder | undefined): string {
  if (holder === undefined) return 'someone unknown (the lock is not one of this version)';
  const { user, machine, pid, since, inventory } = holder;
  return `${user}@${machine} (pid ${pid}) since ${since}, with ${inventory}`;
}

/**
 * Takes the lock on the hosts, one after the other in their order, so that of two operators one gets the first host. More
 * than half must be locked: any two runs then meet on a host, though one may be away or have lost its lock in a reboot.
 * @throws LockHeld at once; ProvisionError `lock-unsure` when too few hosts can be reached
 */
export async function takeLock(request: LockRequest): Promise<Lock> {
  const text = JSON.stringify(request.holder);
  const taken: string[] = [];
  const release = (): Promise<void> => releaseAll(request, taken, text);
  try {
    for (const host of request.hosts) if (await takeOn(host, text, request)) taken.push(host);
  } catch (error) {
    await release();
    throw error;
  }
  if (taken.length * 2 > request.hosts.length) return { release };
  await release();
  throw new ProvisionError({
    code: 'lock-unsure',
    message: `only ${taken.length} of ${request.hosts.length} hosts can keep the lock (${request.hosts.join(', ')}): nothing was changed`,
    hint: 'make more than half of them reachable, then apply again',
  });
}

/** @returns false when the host is away */
async function takeOn(host: string, text: string, request: LockRequest): Promise<boolean> {
  try {
    const held = await tryToTake(host, text, '', request);
    if (held === '') return true;
    const holder = readHolder(held);
    if (holder === undefined || !request.isGone(holder)) throw new LockHeld(host, holder, request.unlockCommand);
    const message = `took over the lock that ${describeHolder(holder)} left behind: that process has ended`;
    const still = await tryToTake(host, text, held, request);
    if (still !== '') throw new LockHeld(host, readHolder(still), request.unlockCommand);
    request.emit({ type: 'notice', host, message });
    return true;
  } catch (error) {
    if (!isHostLost(error)) throw error;
    request.emit({ type: 'notice', host, message: `keeps no lock for this run: ${error.message}` });
    return false;
  }
}

async function tryToTake(host: string, text: string, left: string, { connector }: LockRequest): Promise<string> {
  const script = takeLockScript(text, left);
  return (await runOrFail({ summary: 'take the lock', script }, await connector.connect(host))).stdout.trim();
}

async function releaseAll(request: LockRequest, hosts: readonly string[], text: string): Promise<void> {
  const command = { summary: 'release the lock', script: releaseLockScript(text) };
  await Promise.all(
    hosts.map(async (host) => {
      try {
        await runOrFail(command, await request.connector.connect(host));
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        const message = `the lock is left here (${error.message}); the next apply from this machine takes it over, from another one: ${request.unlockCommand}`;
        request.emit({ type: 'notice', host, message });
      }
    }),
  );
}

/** A lock as it stands on a host. */
export interface FoundLock {
  readonly host: string;
  /** What {@link breakLock} needs. */
  readonly text: string;
  readonly holder: LockHolder | undefined;
}

/** The lock on a host, when there is one. @throws RemoteError */
export async function findLock(host: string, connector: Connector): Promise<FoundLock | undefined> {
  const transport = await connector.connect(host);
  const { stdout } = await runOrFail({ summary: 'read the lock', script: readLockScript() }, transport);
  const text = stdout.trim();
  return text === '' ? undefined : { host, text, holder: readHolder(text) };
}

/** Breaks just the lock that was found, not one that was taken since. @throws RemoteError */
export async function breakLock({ host, text }: FoundLock, connector: Connector): Promise<void> {
  const command = { summary: 'break the lock', script: releaseLockScript(text) };
  await runOrFail(command, await connector.connect(host));
}

/** Who a lock's text names; nothing where it is not one of this version. */
export function readHolder(text: string): LockHolder | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockHolder> | null;
    return typeof value?.user === 'string' && typeof value.process === 'string' ? (value as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}
