import { describe, expect, test } from '@jest/globals';
import { connectWithRetry, isLostBeforeHandshake } from '../../../src/ssh/retry.js';

const lost = (): Error => new Error('Connection lost before handshake');
const withFields = (message: string, fields: object): Error => Object.assign(new Error(message), fields);

test.each([
  ['dropped before a word of SSH', lost(), true],
  ['reset by the server', withFields('read ECONNRESET', { code: 'ECONNRESET', level: 'client-socket' }), true],
  [
    'reset in the middle of a login',
    withFields('read ECONNRESET', { code: 'ECONNRESET', level: 'client-authentication' }),
    false,
  ],
  ['dropped behind a ProxyCommand', new Error('status 255: kex_exchange_identification: Connection closed'), true],
  [
    'a refused login',
    withFields('All configured authentication methods failed', { level: 'client-authentication' }),
    false,
  ],
  ['a refused TCP connection', withFields('connect ECONNREFUSED', { code: 'ECONNREFUSED' }), false],
  ['a refused host key', withFields('Host denied (verification failed)', { level: 'handshake' }), false],
  ['a time-out', withFields('Timed out while waiting for handshake', { level: 'client-timeout' }), false],
  ['nothing', undefined, false],
])('%s: tried again %#', (_, error, again) => {
  expect(isLostBeforeHandshake(error)).toBe(again);
});

describe('connecting', () => {
  /** Fails with these errors in turn, then succeeds. */
  function attempts(errors: readonly Error[], byte: number): { pauses: number[]; outcome: Promise<string> } {
    const pauses: number[] = [];
    const left = [...errors];
    const connect = (): Promise<string> => {
      const error = left.shift();
      return error === undefined ? Promise.resolve('connected') : Promise.reject(error);
    };
    const pause = (ms: number): Promise<void> => {
      pauses.push(ms);
      return Promise.resolve();
    };
    const outcome = connectWithRetry(connect, { pause, randomBytes: (size) => new Uint8Array(size).fill(byte) });
    return { pauses, outcome };
  }

  test.each([
    [0, [100, 200, 400]],
    [255, [200, 400, 800]],
  ])('pauses longer each time, by chance %d', async (byte, expected) => {
    const { pauses, outcome } = attempts([lost(), lost(), lost()], byte);
    expect(await outcome).toBe('connected');
    expect(pauses).toEqual(expected);
  });

  test('gives up after six tries', async () => {
    const { pauses, outcome } = attempts(Array.from({ length: 9 }, lost), 0);
    await expect(outcome).rejects.toThrow('Connection lost');
    expect(pauses).toHaveLength(5);
  });

  test('asks once when the answer is an answer', async () => {
    const { pauses, outcome } = attempts([new Error('refused')], 0);
    await expect(outcome).rejects.toThrow('refused');
    expect(pauses).toEqual([]);
  });
});
