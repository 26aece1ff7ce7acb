// What is said over one channel, and how it ends: by a far side that does as a test says, and a clock that a test moves.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Become } from '../../../src/model/inventory.js';
import type { Command, Intake, Output } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import { END_OF_PART, marksOf, remoteCommandLine, remotePayload } from '../../../src/shell/remote-command.js';
import { NoChannelInTime } from '../../../src/ssh/converse.js';
import { DEFAULT_TIMING } from '../../../src/ssh/link.js';
import { execute, GivenUp, isSessionLimit } from '../../../src/ssh/execute.js';
import { arrived, fakeClient, type FakeClient, type FarSide, type Opening } from '../../support/fake-channel.js';

const [TOKEN, WORD] = ['01'.repeat(16), '02'.repeat(16)];
const { begin, end } = marksOf(TOKEN);
const MIB = 1024 * 1024;
const SUDO: Become = { method: 'sudo', user: 'root' };
const WITH_PASSWORD: Become = { ...SUDO, password: new Secret('planted') };

beforeEach(() => {
  // What is on its way arrives in real turns of the event loop.
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

interface Talk {
  readonly far: FarSide;
  /** What the command came to; undefined as long as it has not ended. */
  readonly outcome: () => Output | { readonly error: unknown } | undefined;
  readonly dropped: Error[];
  readonly pass: (ms: number) => Promise<void>;
}

interface Wish {
  readonly command?: Partial<Command>;
  readonly become?: Become;
  readonly intake?: Intake;
  readonly openings?: readonly Opening[];
  readonly lost?: unknown;
}

function startTalk({ command, become, intake, openings = [], lost }: Wish): Omit<Talk, 'far'> & FakeClient {
  const fake = fakeClient(...openings);
  const dropped: Error[] = [];
  let words = 0;
  let outcome: ReturnType<Talk['outcome']>;
  const execution = {
    host: 'one',
    client: fake.client,
    become,
    randomBytes: (size: number) => new Uint8Array(size).fill((words += 1)),
    timing: { ...DEFAULT_TIMING, channelTimeoutMs: 3000, startTimeoutMs: 2000 },
    lostBecause: () => lost,
    drop: (reason: Error) => dropped.push(reason),
  };
  void execute(execution, { summary: 'look', script: 'true', ...command }, intake).then(
    (output) => (outcome = output),
    (error: unknown) => (outcome = { error }),
  );
  return {
    ...fake,
    dropped,
    outcome: () => outcome,
    pass: async (ms) => {
      await jest.advanceTimersByTimeAsync(ms);
      await arrived();
    },
  };
}

function talk(wish: Wish = {}): Talk {
  const started = startTalk(wish);
  const [far] = started.far;
  if (far === undefined) throw new Error('no channel was opened');
  return { ...started, far };
}

/** The whole answer on both outputs. */
async function answer(far: FarSide, status: number, stdout = '', stderr = ''): Promise<void> {
  await far.say(`${begin}${stdout}${end}${status}\n`);
  await far.complain(`${begin}${stderr}${end}${status}\n`);
}

describe('what is sent', () => {
  test.each([
    ['nothing', undefined, ''],
    ['a text', 'süß', 'süß'],
    ['a secret', new Secret('plänted'), 'plänted'],
    ['bytes', Buffer.from('bytes'), 'bytes'],
  ])('with %s on stdin: its size goes ahead, in bytes', (_, stdin, text) => {
    const { far } = talk({ command: { script: 'cat # ü', stdin } });
    const sizes = { scriptBytes: 8, stdinBytes: Buffer.byteLength(text) };
    expect(far.line).toBe(remoteCommandLine({ ...sizes, timeoutMs: 60_000 }));
    expect(far.sent()).toBe(remotePayload(TOKEN, Buffer.from('cat # ü'), Buffer.from(text)).toString());
    expect(far.line).not.toContain(TOKEN);
  });

  test('the time that a command may take goes with it', () => {
    expect(talk({ command: { timeoutMs: 1500 } }).far.line).toContain('timeout -k 5 1.5 ');
  });

  test('a file on stdin follows as it is read, with its end', async () => {
    const parts = ['half ', 'a file'].map((text) => Buffer.from(text));
    const stdin = {
      bytes: 11,
      sha256: '',
      read: async function* () {
        await Promise.resolve();
        yield* parts;
      },
    };
    const { far } = talk({ command: { script: 'cat', stdin } });
    expect(far.line).toBe(remoteCommandLine({ scriptBytes: 3, stdinBytes: 11, timeoutMs: 60_000 }));
    await far.exit(null);
    expect(far.sent()).toBe(
      `${remotePayload(TOKEN, Buffer.from('cat'), Buffer.alloc(0)).toString()}half a file${END_OF_PART}`,
    );
  });

  test.each([
    ['shorter', 12],
    ['longer', 10],
  ])('a file that is %s than it was gets no end, and its error comes back', async (_, bytes) => {
    const parts = ['half ', 'a file'].map((text) => Buffer.from(text));
    const stdin = {
      bytes,
      sha256: '',
      read: async function* () {
        await Promise.resolve();
        yield* parts;
      },
    };
    const { far, outcome } = talk({ command: { stdin } });
    await far.exit(0);
    expect(outcome()).toMatchObject({
      error: { because: { message: expect.stringContaining(`${bytes} bytes were announced`) as unknown } },
    });
    expect(outcome()).toMatchObject({ error: expect.any(GivenUp) as unknown });
    const before = remotePayload(TOKEN, Buffer.from('true'), Buffer.alloc(0)).toString();
    // Nothing beyond what was announced.
    expect(far.sent()).toBe(before + (bytes === 10 ? 'half ' : 'half a file'));
    expect(far.isClosed()).toBe(true);
  });

  test('no password is asked for where there is none, and none is waited for', async () => {
    const { far, outcome } = talk({ become: { ...SUDO, user: 'app', program: '/opt/sudo', flags: ['-E', '-x'] } });
    expect(far.line).toContain(' /opt/sudo -E -x -n -u app -- ');
    expect(far.line).toContain(`echo granted-${WORD} `);
    expect(far.line).not.toContain(TOKEN);
    expect(far.sent()).toBe(remotePayload(TOKEN, Buffer.from('true'), Buffer.alloc(0)).toString());
    await far.complain(`a banner\ngranted-${WORD}\n`);
    await answer(far, 0, 'out', 'err');
    await far.exit(0);
    expect(outcome()).toMatchObject({ status: 0, stdout: 'out', stderr: 'err' });
  });

  test('the password on the prompt only, and what the command reads only after the grant', async () => {
    const { far, outcome } = talk({ become: WITH_PASSWORD });
    expect(far.line).toContain(` -k -S -p prompt-${WORD} `);
    expect(far.sent()).toBe('');
    await far.complain('We trust you\n');
    expect(far.sent()).toBe('');
    await far.complain(`prompt-${WORD}`);
    expect(far.sent()).toBe('planted\n');
    await far.complain(`granted-${WORD}\n${begin}err`);
    expect(far.sent()).toBe(`planted\n${remotePayload(TOKEN, Buffer.from('true'), Buffer.alloc(0)).toString()}`);
    await far.say(`${begin}out${end}4\n`);
    await far.complain(`or${end}4\n`);
    await far.exit(4);
    expect(outcome()).toMatchObject({ status: 4, stdout: 'out', stderr: 'error' });
  });
});

describe('sudo that does not let the command in', () => {
  test.each<[string, Become, readonly string[], object]>([
    ['asks again', WITH_PASSWORD, [`prompt-${WORD}`, `prompt-${WORD}`], { code: 'become-password-wrong' }],
    [
      'says so',
      SUDO,
      ['sudo: a password is required\n'],
      { code: 'become-password-missing', output: 'sudo: a password is required' },
    ],
    [
      'knows nobody',
      { ...SUDO, user: 'app' },
      ['sudo: unknown user app\n'],
      { message: expect.stringContaining('user app') as unknown },
    ],
    ['says nothing', SUDO, [], { code: 'no-answer' }],
  ])('%s', async (_, become, said, error) => {
    const { far, outcome } = talk({ become });
    for (const text of said) await far.complain(text);
    await far.exit(1);
    await far.close();
    expect(outcome()).toMatchObject({ error: { host: 'one', command: 'look', status: null, ...error } });
    expect(far.isClosed()).toBe(true);
    expect(JSON.stringify(outcome())).not.toContain('planted');
  });

  test('what it answers does not count: only what was let in is the command', async () => {
    const { far, outcome } = talk({ become: SUDO });
    await far.say(`${begin}${end}0\n`);
    await far.complain(`${begin}${end}0\n`);
    await far.exit(0);
    await far.close();
    expect(outcome()).toMatchObject({ error: { code: expect.stringMatching(/^become-failed|^no-answer/) as unknown } });
  });
});

describe('how long is waited', () => {
  /** Just before and just after so many milliseconds. */
  async function endsAfter(running: Talk, ms: number): Promise<void> {
    await running.pass(ms - 1);
    expect(running.outcome()).toBeUndefined();
    expect(running.far.isClosed()).toBe(false);
    await running.pass(1);
    expect(running.far.isClosed()).toBe(true);
  }

  test.each([
    ['the login shell', undefined, 'the login shell', 'true'],
    ['sudo', SUDO, 'sudo', 'sudo true'],
  ])('for %s to start the command', async (_, become, who, tried) => {
    const running = talk(become === undefined ? {} : { become });
    await endsAfter(running, 2000);
    expect(running.outcome()).toMatchObject({
      error: {
        code: 'command-hung',
        message: `one: look: ${who} did not start the command within 2 s`,
        hint: expect.stringContaining(`ssh one ${tried}`) as unknown,
      },
    });
  });

  test.each([
    ['stdout', (far: FarSide) => far.say(begin)],
    ['stderr', (far: FarSide) => far.complain(begin)],
  ])('for a command that has begun, by %s: its time, and 15 s', async (_, beginOn) => {
    const running = talk({ command: { timeoutMs: 7000 } });
    await running.pass(1999);
    await beginOn(running.far);
    await endsAfter(running, 22_000);
    expect(running.outcome()).toMatchObject({
      error: { code: 'command-hung', hint: expect.stringContaining('ps -ef') as unknown },
    });
  });

  test('a second output that begins gives no further time', async () => {
    const running = talk({ command: { timeoutMs: 7000 } });
    await running.far.say(begin);
    await running.pass(20_000);
    await running.far.say('more');
    await endsAfter(running, 2000);
  });

  test('for the end of what has answered: 5 s, and then it counts', async () => {
    const running = talk();
    await answer(running.far, 3, 'all');
    await endsAfter(running, 5000);
    expect(running.outcome()).toMatchObject({ status: 3, stdout: 'all' });
  });

  test('for the answer of what has ended: 5 s after the last that came', async () => {
    const running = talk();
    await running.far.say(begin);
    await running.far.exit(0);
    await running.pass(4999);
    await running.far.say('half');
    await endsAfter(running, 5000);
    expect(running.outcome()).toMatchObject({
      error: { code: 'no-answer', output: 'half', message: expect.stringContaining('(status 0)') as unknown },
    });
  });

  test('not at all where both have come, in whatever order', async () => {
    const first = talk();
    await first.far.exit(3);
    await answer(first.far, 3, 'all');
    expect(first.outcome()).toMatchObject({ status: 3, stdout: 'all' });
    const second = talk();
    await second.far.complain(`${begin}${end}3\n`);
    await second.far.exit(3);
    expect(second.outcome()).toBeUndefined();
    await second.far.say(`${begin}all${end}3\n`);
    expect(second.outcome()).toMatchObject({ status: 3, stdout: 'all' });
  });

  test('for a channel: then the connection is dropped, so that nothing is started late', async () => {
    const running = startTalk({ openings: ['silent'] });
    await running.pass(2999);
    expect([running.outcome(), running.dropped]).toEqual([undefined, []]);
    await running.pass(1);
    expect(running.outcome()).toMatchObject({ error: expect.any(NoChannelInTime) as unknown });
    expect(running.dropped).toEqual([expect.any(NoChannelInTime)]);
    expect(running.dropped[0]?.message).toContain('within 3 s');
  });

  test('a channel that is refused gives its error, at once', async () => {
    const refused = Object.assign(new Error('(SSH) Channel open failure'), { reason: 2 });
    const running = startTalk({ openings: [refused] });
    await running.pass(0);
    expect(running.outcome()).toEqual({ error: refused });
    expect([2, 1, undefined].map((reason) => isSessionLimit(Object.assign(new Error(), { reason })))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('a status without an end mark', () => {
  test.each<[string, number, number | null, string | undefined, number | undefined]>([
    ['of a time-out', 1000, 124, undefined, 124],
    ['of what was killed at its time-out', 1000, 137, undefined, 124],
    ['of what was killed before', 999, 137, undefined, 137],
    ['of what was ended by a signal', 1000, null, 'SIGTERM', 143],
    ['of what was ended by a signal that nobody knows', 1000, null, 'SIGNEW', 128],
    ['of a command', 1000, 123, undefined, undefined],
    ['of a success', 1000, 0, undefined, undefined],
  ])('%s', async (_, afterMs, code, signal, status) => {
    const { far, outcome, pass } = talk({ command: { timeoutMs: 1000 } });
    await far.say(begin);
    await pass(afterMs);
    await far.exit(code, signal);
    await far.close();
    if (status === undefined) expect(outcome()).toMatchObject({ error: { code: 'no-answer' } });
    else expect(outcome()).toMatchObject({ status });
  });

  test('of what never began is none', async () => {
    const { far, outcome } = talk();
    await far.exit(124);
    await far.close();
    expect(outcome()).toMatchObject({
      error: { code: 'no-answer', message: expect.stringContaining('(status 124)') as unknown },
    });
  });

  test('is not known by an error of the channel: a command may end before it has read its stdin', async () => {
    const { far, outcome } = talk({ command: { stdin: 'unread' } });
    await far.fail();
    expect(outcome()).toBeUndefined();
    await answer(far, 0, 'done');
    await far.exit(0);
    expect(outcome()).toMatchObject({ status: 0, stdout: 'done' });
  });

  test('names the mark that is missing', async () => {
    const { far, outcome } = talk();
    await far.say(`${begin}half`);
    await far.exit(0);
    await far.close();
    expect(outcome()).toMatchObject({ error: { message: expect.stringContaining('the end mark') as unknown } });
    const other = talk();
    await other.far.exit(0);
    await other.far.close();
    expect(other.outcome()).toMatchObject({ error: { message: expect.stringContaining('the begin mark') as unknown } });
  });

  test('nor is the end of a connection of which nothing is known', async () => {
    const { far, outcome } = talk();
    await far.close();
    expect(outcome()).toMatchObject({
      error: { message: 'one: look: the connection was lost before the command ended' },
    });
  });

  test('nor is the end of a connection, and it says why that ended', async () => {
    const lost = new Error('Keepalive timeout');
    const { far, outcome } = talk({ lost });
    await far.say(`${begin}half`);
    await far.close();
    expect(outcome()).toMatchObject({
      error: {
        code: 'connection-lost',
        cause: lost,
        output: 'half',
        message: 'one: look: the connection was lost before the command ended: Keepalive timeout',
      },
    });
  });
});

describe('how much may come', () => {
  test.each<[string, string, (far: FarSide, bytes: number) => Promise<void>, number]>([
    ['before the answer', 'output-too-large', (far, bytes) => far.say(Buffer.alloc(bytes)), 64 * 1024],
    ['before the answer on stderr', 'output-too-large', (far, bytes) => far.complain(Buffer.alloc(bytes)), 64 * 1024],
    [
      'in the answer',
      'output-too-large',
      (far, bytes) => far.say(Buffer.concat([Buffer.from(begin), Buffer.alloc(bytes)])),
      16 * MIB,
    ],
    [
      'in stderr',
      'output-too-large',
      (far, bytes) => far.complain(Buffer.concat([Buffer.from(begin), Buffer.alloc(bytes)])),
      MIB,
    ],
  ])('%s: %s', async (_, code, send, most) => {
    const enough = talk();
    await send(enough.far, most);
    expect([enough.outcome(), enough.far.isClosed()]).toEqual([undefined, false]);
    const tooMuch = talk();
    await send(tooMuch.far, most + 1);
    const limits = most < MIB ? 'more than 64 KiB' : '16 MiB on stdout, 1 MiB on stderr';
    expect(tooMuch.outcome()).toMatchObject({
      error: { code, host: 'one', message: expect.stringContaining(limits) as unknown },
    });
    expect(tooMuch.far.isClosed()).toBe(true);
  });

  test('before sudo lets the command in', async () => {
    const { far, outcome } = talk({ become: SUDO });
    await far.complain(Buffer.alloc(16 * 1024, 'x'));
    expect(outcome()).toBeUndefined();
    await far.complain('x');
    expect(outcome()).toMatchObject({
      error: {
        code: 'output-too-large',
        message: expect.stringContaining('came before the command was started') as unknown,
      },
    });
  });

  test.each<[string, Become | undefined, (far: FarSide, bytes: number) => Promise<void>]>([
    ['on stdout', undefined, (far, bytes) => far.say(Buffer.alloc(bytes))],
    ['on stderr', undefined, (far, bytes) => far.complain(Buffer.alloc(bytes))],
    ['on stderr before sudo', SUDO, (far, bytes) => far.complain(Buffer.alloc(bytes))],
  ])('after the end, %s: 4 MiB, then the connection is dropped', async (_, become, send) => {
    const { far, outcome, dropped, pass } = talk(become === undefined ? {} : { become });
    await pass(2000);
    expect(outcome()).toMatchObject({ error: { code: 'command-hung' } });
    await send(far, 4 * MIB);
    expect(dropped).toEqual([]);
    await send(far, 1);
    expect(dropped).toEqual([
      expect.objectContaining({ message: expect.stringContaining('closed channel') as unknown }),
    ]);
  });

  test('an error shows the last ten lines, and no more than 4 KiB of each output', async () => {
    const lines = Array.from({ length: 12 }, (_, index) => `line ${index}\n`).join('');
    const few = talk();
    await few.far.say(`${begin}${lines}`);
    await few.far.complain(`${begin}why\n`);
    await few.far.close();
    const shown = Array.from({ length: 9 }, (_, index) => `line ${index + 3}`);
    expect(few.outcome()).toMatchObject({ error: { output: [...shown, 'why'].join('\n') } });
    const wide = talk();
    await wide.far.say(`${begin}${'x'.repeat(5000)}`);
    await wide.far.close();
    expect(wide.outcome()).toMatchObject({ error: { output: 'x'.repeat(4096) } });
  });
});

describe('what is taken as it comes', () => {
  /** An intake that waits for a test to say that it is done. */
  function slowIntake(): Intake & { readonly taken: string[]; done(): void; fail(error: Error): void } {
    const taken: string[] = [];
    let settle: { done(): void; fail(error: Error): void } | undefined;
    return {
      maxBytes: 100,
      firstByteMs: 10_000,
      silenceMs: 500,
      taken,
      take: (bytes) =>
        new Promise<void>((resolve, reject) => {
          taken.push(Buffer.from(bytes).toString());
          settle = { done: resolve, fail: reject };
        }),
      done: () => settle?.done(),
      fail: (error) => settle?.fail(error),
    };
  }
  /** Enough for something of it to be surely of the answer. */
  const ahead = 'x'.repeat(end.length + 4);

  test('the host waits meanwhile, and no clock runs', async () => {
    const intake = slowIntake();
    const { far, outcome, pass } = talk({ intake });
    await far.say(`${begin}abc${ahead}`);
    expect([intake.taken, far.isPaused()]).toEqual([['abc'], true]);
    await pass(100_000);
    expect(outcome()).toBeUndefined();
    intake.done();
    await pass(0);
    expect(far.isPaused()).toBe(false);
    await pass(499);
    expect(outcome()).toBeUndefined();
    await pass(1);
    expect(outcome()).toMatchObject({
      error: { code: 'command-hung', message: expect.stringContaining('incomplete') as unknown },
    });
  });

  test('the first byte may take its own time', async () => {
    const { far, outcome, pass } = talk({ intake: slowIntake() });
    await far.say(begin);
    await pass(9999);
    expect(outcome()).toBeUndefined();
    await pass(1);
    expect(outcome()).toMatchObject({ error: { code: 'command-hung' } });
  });

  test.each([
    ['the end comes while it is busy', true],
    ['it is done before', false],
  ])('the last of it is handed on before the end: %s', async (_, isBusy) => {
    const intake = slowIntake();
    const { far, outcome, pass } = talk({ intake });
    await far.complain(`${begin}warning${end}0\n`);
    await far.say(`${begin}abc${end}0\n`);
    expect(intake.taken).toEqual(['abc']);
    if (!isBusy) intake.done();
    await far.exit(0);
    await far.close();
    if (isBusy) expect(outcome()).toBeUndefined();
    intake.done();
    await pass(0);
    expect(outcome()).toMatchObject({ status: 0, stdout: '', stderr: 'warning' });
  });

  test('what breaks off while it is busy is no success', async () => {
    const intake = slowIntake();
    const { far, outcome, pass } = talk({ intake });
    await far.say(`${begin}abc${ahead}`);
    await far.close();
    expect(outcome()).toBeUndefined();
    intake.done();
    await pass(0);
    expect(outcome()).toMatchObject({ error: { code: 'connection-lost' } });
  });

  test('its own error comes back as it is, and ends the command', async () => {
    const intake = slowIntake();
    const { far, outcome, pass } = talk({ intake });
    await far.say(`${begin}abc${ahead}`);
    const full = new Error('disk full');
    intake.fail(full);
    await pass(0);
    expect(outcome()).toMatchObject({ error: { because: full } });
    expect(far.isClosed()).toBe(true);
  });

  test('a host that sends on after it was given up is dropped: nothing piles up in a channel that waits', async () => {
    const intake = slowIntake();
    const { far, dropped, pass } = talk({ intake });
    await far.say(`${begin}abc${ahead}`);
    intake.fail(new Error('disk full'));
    await pass(0);
    await far.say(Buffer.alloc(4 * MIB));
    expect(dropped).toEqual([]);
    await far.say('x');
    expect(dropped).toHaveLength(1);
    expect(far.isPaused()).toBe(false);
  });

  test('its own limit holds, not that of kept output', async () => {
    const { far, outcome } = talk({ intake: slowIntake() });
    await far.say(`${begin}${'x'.repeat(100)}${ahead}x`);
    expect(outcome()).toMatchObject({ error: { code: 'output-too-large' } });
  });

  test('a host that sends on without heed while it is busy is dropped', async () => {
    const intake = slowIntake();
    const { far, outcome, dropped, pass } = talk({ intake });
    await far.say(`${begin}abc${ahead}`);
    await far.say(Buffer.alloc(4 * MIB + 1));
    intake.done();
    await pass(0);
    expect(outcome()).toMatchObject({ error: { code: 'output-too-large' } });
    expect(dropped).toHaveLength(1);
  });
});
