import pLimit from 'p-limit';
import { RemoteError } from '../model/errors.js';
import type { Become } from '../model/inventory.js';
import type { Command, Intake, Output, Transport } from '../model/remote.js';
import { causeMessage } from './cause.js';
import { execute, GivenUp, isSessionLimit } from './execute.js';
import { NoChannelInTime } from './converse.js';
import type { Link, Timing } from './link.js';
import type { RetryTools } from './retry.js';

/**
 * Channels at once on one connection. sshd allows 10 (MaxSessions), and frees a slot some time after its command has
 * ended.
 */
const CHANNELS = 6;
/** How often, and how late, a channel is asked for again when the server has none and no other command runs. */
const FREE_SLOT_TRIES = 10;
const FREE_SLOT_PAUSE_MS = 50;

/** What a session is made of. */
export interface SessionRequest extends RetryTools {
  /** Inventory name. */
  readonly host: string;
  readonly link: Link;
  /** Undefined when the login user is already the right one. */
  readonly become: Become | undefined;
  readonly timing: Timing;
}

function suffix(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}

function notConnected(host: string, command: Command, cause: unknown): RemoteError {
  return new RemoteError({
    code: 'connection-lost',
    host,
    command: command.summary,
    status: null,
    cause,
    message: `${host}: ${command.summary}: not started: the connection was lost${suffix(causeMessage(cause))}`,
  });
}

function tooLate(host: string, command: Command, cause: NoChannelInTime): RemoteError {
  return new RemoteError({
    code: 'no-channel',
    host,
    command: command.summary,
    status: null,
    cause,
    message: `${host}: ${command.summary}: not started: ${cause.message}`,
    hint: `look on the host how busy it is, and at its log: journalctl -u ssh`,
  });
}

function noChannel(host: string, command: Command, cause: unknown): RemoteError {
  return new RemoteError({
    code: 'no-channel',
    host,
    command: command.summary,
    cause,
    ...(command.runsBeside
      ? {
          message: `${host}: ${command.summary}: not started: it runs beside another command, and the server opens one channel only`,
          hint: `allow two sessions on a connection: MaxSessions 2 or more in the sshd_config of ${host} (sshd's default: 10)`,
        }
      : {
          message: `${host}: ${command.summary}: not started: the server opens no channel for a command`,
          hint: 'check MaxSessions in its sshd_config: 0 allows no commands',
        }),
  });
}

/** A {@link Transport} over a link. Commands beyond the number of channels wait for their turn. */
export function createSession({ host, link, become, randomBytes, timing, pause }: SessionRequest): Transport {
  const limit = pLimit(CHANNELS);
  const { client } = link;
  const lostBecause = (): unknown => link.lostBecause();
  const drop = (reason: Error): void => {
    link.drop(reason);
  };

  async function attempt(command: Command, triesLeft: number, intake?: Intake): Promise<Output> {
    if (!link.isOpen()) throw notConnected(host, command, lostBecause());
    try {
      return await execute({ host, client, become, randomBytes, timing, lostBecause, drop }, command, intake);
    } catch (error) {
      if (error instanceof RemoteError) throw error;
      if (error instanceof GivenUp) throw error.because;
      if (error instanceof NoChannelInTime) throw tooLate(host, command, error);
      if (!isSessionLimit(error)) throw notConnected(host, command, lostBecause() ?? error);
      if (triesLeft === 0) throw noChannel(host, command, error);
    }
    // The server allows fewer channels than we thought (MaxSessions): nothing has run yet, so wait for a free one.
    limit.concurrency = Math.max(1, limit.activeCount - 1);
    await pause(FREE_SLOT_PAUSE_MS);
    const mayWait = limit.activeCount > 1 && command.runsBeside !== true;
    return attempt(command, mayWait ? triesLeft : triesLeft - 1, intake);
  }

  return {
    host,
    run(command) {
      const start = (): Promise<Output> => attempt(command, FREE_SLOT_TRIES);
      return command.runsBeside === true ? start() : limit(start);
    },
    download: (command, intake) => limit(() => attempt(command, FREE_SLOT_TRIES, intake)),
    close: () => link.close(),
  };
}
