import { isHostLost, ProvisionError, type RemoteError } from '../model/errors.js';
import type { Connector } from '../model/remote.js';
import { lockMark, readLockScript, releaseLockScript } from '../shell/lock.js';
import { foundLock, LockHeld, type FoundLock } from './lock-holder.js';
import { takeOn, type HostLock } from './lock-host.js';
import { runOrFail } from './run-or-fail.js';

/** Where and as whom a lock is taken. */
export interface LockRequest extends HostLock {
  /** The hosts that the run changes: each must keep the lock, so that no other run changes it meanwhile. */
  readonly acted: readonly string[];
  /**
   * The hosts of the etcd members: more than half must keep it, so that no two runs restart members of one cluster at
   * once, whatever their playbooks and limits.
   */
  readonly members: readonly string[];
  /** The command that does the same without these hosts. */
  readonly without: (hosts: readonly string[]) => string;
}

/** A lock that is held. */
export interface Lock {
  /** Gives it back. Where a host is away, says what is left there. */
  release(): Promise<void>;
}

/**
 * Up to this many hosts, a lock is taken on one after the other; of more, on several at once. Each costs a round trip.
 */
const ROUNDS = 50;

/**
 * Takes the lock on all hosts in the order of their names: of two operators, one gets the first host that both want.
 * @throws LockHeld; ProvisionError `still-busy`; `lock-unsure` when too few hosts can be reached, `lock-needs-root`. Nothing is left locked
 */
export async function takeLock(request: LockRequest): Promise<Lock> {
  const hosts = [...new Set([...request.acted, ...request.members])].sort();
  const touched = new Set<string>();
  const away = new Map<string, RemoteError>();
  const release = (): Promise<void> => releaseAll(request, touched);
  try {
    for (const group of inGroups(hosts)) {
      const results = await Promise.allSettled(group.map((host) => takeOn(host, request, touched)));
      for (const [index, result] of results.entries()) {
        const host = group[index] ?? '';
        if (result.status === 'fulfilled') continue;
        if (!isHostLost(result.reason)) throw result.reason;
        away.set(host, result.reason);
      }
    }
    requireEnough(request, away);
  } catch (error) {
    await release();
    throw error;
  }
  for (const [host, error] of away)
    request.emit({ type: 'notice', host, message: `could not be locked for this run: ${error.message}` });
  return { release };
}

function inGroups(hosts: readonly string[]): readonly (readonly string[])[] {
  const size = Math.ceil(hosts.length / ROUNDS);
  return Array.from({ length: Math.min(ROUNDS, hosts.length) }, (_, index) =>
    hosts.slice(index * size, (index + 1) * size),
  );
}

function requireEnough({ acted, members, without }: LockRequest, away: ReadonlyMap<string, RemoteError>): void {
  const acting = [...away].filter(([host]) => acted.includes(host));
  const lost = acting.map(([host]) => host);
  // Where it is the only one that is to be changed, nothing is left to do without it.
  const skip =
    lost.length === acted.length ? '' : `; or to skip ${lost.length === 1 ? 'it' : 'them'}: ${without(lost)}`;
  if (lost.length > 0)
    throw new ProvisionError({
      code: 'lock-unsure',
      message: `hosts to be changed could not be locked, nothing was changed: ${acting.map(([, { message }]) => message).join('; ')}`,
      hint: `make ${lost.join(', ')} reachable${skip}`,
    });
  const kept = members.filter((host) => !away.has(host));
  if (members.length === 0 || kept.length * 2 > members.length) return;
  throw new ProvisionError({
    code: 'lock-unsure',
    message: `only ${kept.length} of ${members.length} etcd members' hosts can keep the lock (${members.join(', ')}): nothing was changed`,
    hint: 'make more than half of them reachable, then apply again',
  });
}

async function releaseAll(request: LockRequest, hosts: ReadonlySet<string>): Promise<void> {
  const mark = lockMark(JSON.stringify(request.holder));
  const command = { summary: 'release the lock', script: releaseLockScript(mark) };
  await Promise.all(
    [...hosts].map(async (host) => {
      try {
        await runOrFail(command, await request.connector.connect(host));
      } catch (error) {
        const message = `the lock is left here (${error instanceof Error ? error.message : String(error)}); the next apply from this machine takes it over, from another one: ${request.unlockCommand}`;
        request.emit({ type: 'notice', host, message });
      }
    }),
  );
}

/** The lock on a host, when there is one. @throws RemoteError */
export async function findLock(host: string, connector: Connector): Promise<FoundLock | undefined> {
  const transport = await connector.connect(host);
  const { stdout } = await runOrFail({ summary: 'read the lock', script: readLockScript() }, transport);
  const mark = stdout.trim();
  return mark === '' ? undefined : foundLock(host, mark);
}

/**
 * Breaks just the lock that was found, not one that was taken since.
 * @returns what is there now
 * @throws RemoteError
 */
export async function breakLock({ host, mark }: FoundLock, connector: Connector): Promise<FoundLock | undefined> {
  const command = { summary: 'break the lock', script: releaseLockScript(mark) };
  const left = (await runOrFail(command, await connector.connect(host))).stdout.trim();
  return left === '' ? undefined : foundLock(host, left);
}

/** @throws LockHeld when one of the locks that were seen belongs to a run that may still be at work */
export function refuseLocked(
  seen: readonly FoundLock[],
  { isGone, unlockCommand }: Pick<LockRequest, 'isGone' | 'unlockCommand'>,
): void {
  const live = seen.find(({ holder }) => holder === undefined || !isGone(holder));
  if (live !== undefined) throw new LockHeld(live, unlockCommand);
}
