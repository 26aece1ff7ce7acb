import { causeCode, causeLevel, causeMessage } from './cause.js';

/** How often a connection is tried, the first time included. */
const ATTEMPTS = 6;
/** Pause before the second try; it doubles each time. */
const FIRST_PAUSE_MS = 200;

/**
 * The server dropped the connection before it said a word of SSH: too many logins at once (sshd_config(5),
 * MaxStartups), or a penalty for the source address (PerSourcePenalties, OpenSSH 9.8). Both pass. A refused login, a
 * refused TCP connection and a wrong host key are answers, and are not asked for twice.
 */
export function isLostBeforeHandshake(error: unknown): boolean {
  // The second is what an `ssh -W` says that is the ProxyCommand.
  if (/Connection lost before handshake|kex_exchange_identification/.test(causeMessage(error))) return true;
  return causeCode(error) === 'ECONNRESET' && causeLevel(error) === 'client-socket';
}

/** Pauses and randomness, so that tests need no time. */
export interface RetryTools {
  readonly pause: (ms: number) => Promise<void>;
  readonly randomBytes: (size: number) => Uint8Array;
}

/**
 * Connects, and again after a growing, random pause as long as {@link isLostBeforeHandshake}.
 * @throws whatever the last try threw
 */
export async function connectWithRetry<T>(connect: () => Promise<T>, tools: RetryTools): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect();
    } catch (error) {
      if (attempt === ATTEMPTS || !isLostBeforeHandshake(error)) throw error;
      // Between half and the whole of the pause, so that those who were dropped together do not come back together.
      const jitter = 0.5 + (tools.randomBytes(1)[0] ?? 0) / 510;
      await tools.pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * jitter);
    }
  }
}
