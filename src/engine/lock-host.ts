import { ProvisionError, RemoteError } from '../model/errors.js';
import type { EventSink } from '../model/events.js';
import type { Connector, Transport } from '../model/remote.js';
import { NOT_ROOT, takeLockScript } from '../shell/lock.js';
import { onceIdle, whatRuns } from './busy-hosts.js';
import { describeHolder, foundLock, LockHeld, type FoundLock, type LockHolder } from './lock-holder.js';
import { Interrupted } from './run-error.js';
import { runOrFail } from './run-or-fail.js';

/** As whom a host is locked. */
export interface HostLock {
  readonly holder: LockHolder;
  /** True only when that process has provably ended. */
  readonly isGone: (holder: LockHolder) => boolean;
  readonly connector: Connector;
  readonly emit: EventSink;
  /** The user asked to stop: wait for nothing more. */
  readonly interrupted: () => boolean;
  /** The command that breaks the lock on purpose. */
  readonly unlockCommand: string;
}

/** What an earlier run has begun on a host still runs there. */
class StillBusy extends ProvisionError {
  constructor(host: string, what: string) {
    super({
      code: 'still-busy',
      message: `${host}: what an earlier run has begun still runs there (${what}); nothing was changed`,
      hint: 'it ends by itself, at the latest with its time-out: then run the same command again',
    });
  }
}

/**
 * Takes the lock on a host, also from who has left it behind, and waits for what still runs there.
 * @param touched gets the host once the lock may have been made there, also where the answer is lost
 * @throws LockHeld, StillBusy, Interrupted, RemoteError, ProvisionError `lock-needs-root`
 */
export async function takeOn(host: string, request: HostLock, touched: Set<string>): Promise<void> {
  const transport = await request.connector.connect(host);
  touched.add(host);
  const held = await tryToTake(transport, '', request);
  if (held === undefined) return;
  const { holder } = held;
  if (holder === undefined || !request.isGone(holder)) throw new LockHeld(held, request.unlockCommand);
  const still = await tryToTake(transport, held.mark, request);
  if (still !== undefined) throw new LockHeld(still, request.unlockCommand);
  const message = `took over the lock that ${describeHolder(holder)} left behind: that process has ended`;
  request.emit({ type: 'notice', host, message });
}

/**
 * Takes the lock, and waits for what a run before has left running: its process has ended, or its connection, and sshd lets the command go on.
 * @returns the lock that is there instead
 */
async function tryToTake(transport: Transport, left: string, request: HostLock): Promise<FoundLock | undefined> {
  const { host } = transport;
  const { emit, interrupted } = request;
  const attempt = (): Promise<Attempt> => takeOnce(transport, left, request);
  const { mark, runs } = await onceIdle(transport, attempt, (answer) => answer.runs, {
    emit,
    mayWait: () => !interrupted(),
  });
  if (runs !== undefined) throw interrupted() ? new Interrupted(host, 'locking it') : new StillBusy(host, runs);
  return mark === '' ? undefined : foundLock(host, mark);
}

/** The mark of who has the lock instead, or `''`; and what still runs, once it is ours. */
interface Attempt {
  readonly mark: string;
  readonly runs?: string | undefined;
}

async function takeOnce(transport: Transport, left: string, { holder }: HostLock): Promise<Attempt> {
  const { host } = transport;
  const script = takeLockScript(JSON.stringify(holder), left);
  try {
    return { mark: (await runOrFail({ summary: 'take the lock', script }, transport)).stdout.trim() };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const runs = whatRuns({ status: error.status ?? 0, stderr: error.output ?? '' });
    if (runs !== undefined) return { mark: '', runs };
    if (error.status !== NOT_ROOT) throw error;
    throw new ProvisionError({
      code: 'lock-needs-root',
      message: `${host}: only root can lock a host, and a host is changed only while it is locked; nothing was changed`,
      hint: 'let the play, or the run, become root: `become: true` in the playbook, or --become',
      cause: error,
    });
  }
}
