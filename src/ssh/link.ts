import type { Duplex } from 'node:stream';
import type { AuthMethod, Client } from 'ssh2';
import { RemoteError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import { causeLevel, causeMessage } from './cause.js';
import type { Credentials } from './credentials.js';
import type { HostKeyCheck } from './host-keys.js';
import { loadLibrary } from './library.js';
import type { Settings } from './settings.js';

/** An authenticated connection to one machine. */
export interface Link {
  readonly client: Client;
  /** False once the connection has ended, for whatever reason. */
  isOpen(): boolean;
  /** Why it ended, when it was not by {@link Link.close}. */
  lostBecause(): unknown;
  /** Ends it at once, for a reason. */
  drop(reason: Error): void;
  close(): Promise<void>;
}

/** Deadlines of a connection, in milliseconds. */
export interface Timing {
  /** For the TCP connection, and again for the handshake with authentication. */
  readonly connectTimeoutMs: number;
  /** How often a silent peer is asked whether it is alive. */
  readonly keepaliveIntervalMs: number;
  /** How many unanswered questions end the connection. */
  readonly keepaliveCountMax: number;
  /** For the server to open a channel, and to take the request to run a command in it. */
  readonly channelTimeoutMs: number;
  /** For the login shell, and sudo, until a command begins. Longer than name servers that do not answer take. */
  readonly startTimeoutMs: number;
  /** For a command that the far side has not ended at its time-out, as it does, or kills it 5 s later. */
  readonly guardMs: number;
  /** For the end of a command that has answered, or ended: a forced command may have work to do then. */
  readonly lingerMs: number;
}

/** A frozen peer is given up after 25–30 s. */
export const DEFAULT_TIMING: Timing = {
  connectTimeoutMs: 10_000,
  keepaliveIntervalMs: 5_000,
  keepaliveCountMax: 5,
  channelTimeoutMs: 30_000,
  startTimeoutMs: 60_000,
  guardMs: 15_000,
  lingerMs: 5_000,
};

/** How long a peer may take to close before the socket is dropped. */
const CLOSE_MS = 500;

/** What {@link openLink} needs. */
export interface LinkRequest {
  /** Inventory name. */
  readonly host: string;
  readonly settings: Settings;
  /** Connected, without Nagle's delay. */
  readonly stream: Duplex;
  readonly hostKey: HostKeyCheck;
  readonly credentials: Credentials;
  readonly timing: Timing;
}

/** What the handshake left behind when it failed. */
interface Failure {
  readonly error: unknown;
  readonly refusedKey: RemoteError | undefined;
}

/** `user@name port 2222 (address)`, as far as it says more than the inventory name. */
export function destination({ user, hostname, port }: Settings): string {
  return `${user}@${hostname}${port === 22 ? '' : ` port ${port}`}`;
}

function refusedLogin({ host, settings, credentials }: LinkRequest, cause: unknown): RemoteError {
  const tried =
    credentials.tried.length === 0 ? 'nothing to offer: no key, no agent, no password' : credentials.tried.join(', ');
  const skipped = credentials.skipped.map((line) => `\n  left out: ${line}`).join('');
  return new RemoteError({
    code: 'authentication-refused',
    host,
    cause,
    message: `${host}: ${destination(settings)} refuses the login; tried: ${tried}${skipped}`,
    hint: `try it by hand: ssh -v -p ${settings.port} ${quote(`${settings.user}@${settings.hostname}`)} true`,
  });
}

/** Did the server end the login, rather than the network? */
function isRefusedLogin(error: unknown): boolean {
  return causeLevel(error) === 'client-authentication' || /too many authentication/i.test(causeMessage(error));
}

function explain(request: LinkRequest, { error, refusedKey }: Failure): unknown {
  if (refusedKey !== undefined) return refusedKey;
  if (isRefusedLogin(error)) return refusedLogin(request, error);
  return error;
}

/** Says goodbye, then drops the stream: a ProxyCommand need not end because the server does. */
function closer(client: Client, stream: Duplex, isOpen: () => boolean): () => Promise<void> {
  return () =>
    new Promise((resolve) => {
      if (!isOpen()) {
        resolve();
        return;
      }
      // Not client.destroy(): that does nothing once the stream's writing side has ended.
      const drop = setTimeout(() => stream.destroy(), CLOSE_MS);
      // A stream through a jump host closes only when that answers.
      const giveUp = setTimeout(resolve, 2 * CLOSE_MS);
      client.once('close', () => {
        clearTimeout(drop);
        clearTimeout(giveUp);
        resolve();
      });
      client.end();
    });
}

/**
 * Speaks SSH over a socket: checks the host key, logs in.
 * @throws RemoteError for a refused host key or login; else the library's Error, for the retry to judge
 */
export async function openLink(request: LinkRequest): Promise<Link> {
  const { settings, stream, hostKey, credentials, timing } = request;
  const { NodeSSH } = await loadLibrary();
  const ssh = new NodeSSH();
  let refusedKey: RemoteError | undefined;
  let open = true;
  let lostBecause: unknown;
  const ready = ssh.connect({
    sock: stream,
    username: settings.user,
    readyTimeout: timing.connectTimeoutMs,
    keepaliveInterval: timing.keepaliveIntervalMs,
    keepaliveCountMax: timing.keepaliveCountMax,
    algorithms: { serverHostKey: [...hostKey.algorithms] as never },
    // The form with a callback: ssh2 takes the promise of an async verifier for a yes.
    hostVerifier: (key: Buffer, accept: (valid: boolean) => void): void => {
      refusedKey = hostKey.verify(key);
      accept(refusedKey === undefined);
    },
    authHandler: [...credentials.methods] as AuthMethod[],
  });
  const client = ssh.connection;
  if (client === null) throw new Error('node-ssh made no connection');
  // node-ssh takes its own listener away once the connection is ready; an error without one would end the process.
  client.on('error', (error: Error) => {
    lostBecause ??= error;
  });
  client.on('close', () => {
    open = false;
  });
  const isOpen = (): boolean => open;
  try {
    await ready;
    await hostKey.remember();
  } catch (error) {
    stream.destroy();
    throw explain(request, { error, refusedKey });
  }
  return {
    client,
    isOpen,
    lostBecause: () => lostBecause,
    drop(reason) {
      lostBecause ??= reason;
      open = false;
      stream.destroy();
    },
    close: closer(client, stream, isOpen),
  };
}
