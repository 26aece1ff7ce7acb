import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Transport } from '../../../src/model/remote.js';
import { marksOf } from '../../../src/shell/remote-command.js';
import { DEFAULT_TIMING } from '../../../src/ssh/link.js';
import { createSession } from '../../../src/ssh/session.js';
import { arrived, fakeClient, type FakeClient, type FarSide, type Opening } from '../../support/fake-channel.js';

const { begin, end } = marksOf('00'.repeat(16));
/** RFC 4254, SSH_OPEN_CONNECT_FAILED: what sshd says beyond MaxSessions. */
const FULL = Object.assign(new Error('(SSH) Channel open failure: open failed'), { reason: 2 });

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

interface Opened extends FakeClient {
  readonly session: Transport;
  /** How long was waited between tries, in milliseconds. */
  readonly pauses: number[];
  readonly link: { open: boolean; lost: unknown; readonly dropped: Error[]; closed: number };
}

function openSession(...openings: readonly Opening[]): Opened {
  const fake = fakeClient(...openings);
  const link: Opened['link'] = { open: true, lost: undefined, dropped: [], closed: 0 };
  const pauses: number[] = [];
  const session = createSession({
    host: 'one',
    link: {
      client: fake.client,
      isOpen: () => link.open,
      lostBecause: () => link.lost,
      drop: (reason) => link.dropped.push(reason),
      close: () => {
        link.closed += 1;
        return Promise.resolve();
      },
    },
    become: undefined,
    randomBytes: (size) => new Uint8Array(size),
    async pause(ms) {
      pauses.push(ms);
      await arrived();
    },
    timing: { ...DEFAULT_TIMING, channelTimeoutMs: 1000 },
  });
  return { ...fake, session, link, pauses };
}

async function answer(far: FarSide | undefined, text = ''): Promise<void> {
  await far?.say(`${begin}${text}${end}0\n`);
  await far?.complain(`${begin}${end}0\n`);
  await far?.exit(0);
}

const LOOK = { summary: 'look', script: 'true' };
const BESIDE = { ...LOOK, runsBeside: true } as const;
const settled = (running: Promise<unknown>): Promise<unknown> => running.catch((error: unknown) => error);

describe('commands on one connection', () => {
  test('six run at once, and each further one when another has ended', async () => {
    const { session, far } = openSession();
    const running = Array.from({ length: 8 }, () => session.run(LOOK));
    await arrived();
    expect(far).toHaveLength(6);
    await answer(far[3], 'a');
    expect(far).toHaveLength(7);
    expect(await running[3]).toMatchObject({ status: 0, stdout: 'a' });
    // What must run beside others waits for none of them.
    void session.run(BESIDE);
    await arrived();
    expect(far).toHaveLength(8);
  });

  test('downloads take their turn too, and give nothing but the status', async () => {
    const { session, far } = openSession();
    const taken: string[] = [];
    const take = (bytes: Uint8Array): Promise<void> => Promise.resolve(void taken.push(Buffer.from(bytes).toString()));
    const intake = { maxBytes: 10, firstByteMs: 1000, silenceMs: 1000, take };
    const running = Array.from({ length: 7 }, () => session.download(LOOK, intake));
    await arrived();
    expect(far).toHaveLength(6);
    await answer(far[0], 'bytes');
    expect(await running[0]).toMatchObject({ status: 0, stdout: '' });
    expect(taken).toEqual(['bytes']);
    const full = new Error('disk full');
    const failing = settled(session.download(LOOK, { ...intake, take: () => Promise.reject(full) }));
    await answer(far[1], 'x');
    await answer(far.at(-1), 'x');
    // The error of who takes it, as it is.
    expect(await failing).toBe(full);
  });

  test('end with it', async () => {
    const { session, link } = openSession();
    expect(session.host).toBe('one');
    await session.close();
    expect(link.closed).toBe(1);
  });
});

describe('a server with fewer channels', () => {
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await arrived();
  }

  test('is asked again, ten times', async () => {
    const { session, far, asked } = openSession(...Array<Opening>(10).fill(FULL), 'opens');
    const running = session.run(LOOK);
    await until(() => far.length === 1);
    await answer(far[0], 'late');
    expect(await running).toMatchObject({ stdout: 'late' });
    expect(asked()).toBe(11);
  });

  test('that has none is given up then, with what to look at', async () => {
    const { session, asked, pauses } = openSession(FULL);
    await expect(session.run(LOOK)).rejects.toMatchObject({
      code: 'no-channel',
      host: 'one',
      command: 'look',
      cause: FULL,
      hint: expect.stringContaining('MaxSessions in its sshd_config: 0') as unknown,
    });
    expect(asked()).toBe(11);
    // sshd frees a place some time after its command has ended.
    expect(pauses).toEqual(Array<number>(10).fill(50));
  });

  test('has a command wait as long as another one runs, and no longer', async () => {
    const { session, far, asked } = openSession('opens', FULL);
    const first = session.run(LOOK);
    let outcome: unknown;
    const second = settled(session.run(LOOK)).then((given) => (outcome = given));
    await until(() => asked() === 14);
    expect(outcome).toBeUndefined();
    await answer(far[0]);
    expect(await first).toMatchObject({ status: 0 });
    const before = asked();
    expect(await second).toMatchObject({ code: 'no-channel' });
    expect(asked()).toBeLessThanOrEqual(before + 11);
  });

  test('that has one channel is asked for one at a time, once it has said so', async () => {
    const { session, far, asked } = openSession(FULL, 'opens', 'opens');
    const running = [session.run(LOOK), session.run(LOOK)];
    await until(() => far.length > 0);
    await arrived();
    const before = asked();
    void running.push(session.run(LOOK));
    await arrived();
    expect(asked()).toBe(before);
    for (let done = 0; done < running.length; done += 1) {
      await until(() => far.length > done);
      await answer(far[done]);
    }
    expect(await Promise.all(running)).toHaveLength(3);
  });

  test('has no command wait that must run beside another one', async () => {
    const { session, asked } = openSession('opens', FULL);
    void session.run(LOOK);
    await arrived();
    await expect(session.run(BESIDE)).rejects.toMatchObject({
      code: 'no-channel',
      hint: expect.stringContaining('MaxSessions 2 or more in the sshd_config of one') as unknown,
    });
    expect(asked()).toBe(12);
  });

  test('gets one command fewer at once from then on', async () => {
    const { session, far } = openSession('opens', 'opens', 'opens', FULL, 'opens');
    const running = Array.from({ length: 9 }, () => session.run(LOOK));
    await until(() => far.length === 6);
    for (let done = 0; done < 9; done += 1) {
      // The first to end frees the place that there is no more.
      expect(far.length - done).toBe(Math.min(done === 0 ? 6 : 5, 9 - done));
      await answer(far[done]);
    }
    expect(await Promise.all(running)).toHaveLength(9);
  });
});

describe('a connection that is no more', () => {
  test('starts nothing, and says why it ended', async () => {
    const { session, link, far } = openSession();
    [link.open, link.lost] = [false, new Error('Keepalive timeout')];
    await expect(session.run(LOOK)).rejects.toMatchObject({
      code: 'connection-lost',
      host: 'one',
      command: 'look',
      status: null,
      cause: link.lost,
      message: 'one: look: not started: the connection was lost: Keepalive timeout',
    });
    expect(far).toEqual([]);
  });

  test('of which nothing is known', async () => {
    const { session, link } = openSession();
    link.open = false;
    await expect(session.run(LOOK)).rejects.toMatchObject({
      message: 'one: look: not started: the connection was lost',
    });
  });

  test.each([
    ['of the connection, where there is one', new Error('reset'), 'reset'],
    ['of the channel', undefined, 'Not connected'],
  ])('opens no channel: the reason is that %s', async (_, lost, reason) => {
    const { session, link } = openSession(new Error('Not connected'));
    link.lost = lost;
    await expect(session.run(LOOK)).rejects.toMatchObject({
      code: 'connection-lost',
      message: `one: look: not started: the connection was lost: ${reason}`,
    });
  });

  test('is made so where no channel opens in time', async () => {
    const { session, link } = openSession('silent');
    const failed = settled(session.run(LOOK));
    await jest.advanceTimersByTimeAsync(1000);
    await arrived();
    expect(await failed).toMatchObject({
      code: 'no-channel',
      host: 'one',
      command: 'look',
      status: null,
      cause: expect.any(Error) as unknown,
      hint: expect.stringContaining('journalctl -u ssh') as unknown,
    });
    expect(link.dropped).toHaveLength(1);
  });

  test('is not what a command fails with that was not begun in time', async () => {
    const { session } = openSession();
    const failed = settled(session.run(LOOK));
    await arrived();
    await jest.advanceTimersByTimeAsync(60_000);
    await arrived();
    expect(await failed).toMatchObject({ code: 'command-hung', host: 'one' });
  });

  test('gives the reason to what ran on it', async () => {
    const { session, link, far } = openSession();
    const failed = settled(session.run(LOOK));
    await arrived();
    link.lost = new Error('reset');
    await far[0]?.close();
    expect(await failed).toMatchObject({ code: 'connection-lost', cause: link.lost });
  });
});
