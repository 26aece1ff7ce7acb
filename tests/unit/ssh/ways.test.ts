// The ways by which SSH reaches a machine, and the call with a callback that must come to an end.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { END_OF_PART } from '../../../src/shell/remote-command.js';
import { afterDeadline, inTime, type Done } from '../../../src/ssh/deadline.js';
import type { Link } from '../../../src/ssh/link.js';
import { sendFile } from '../../../src/ssh/send-file.js';
import { parseOptions, settingsFrom } from '../../../src/ssh/settings.js';
import { openTcp, openThroughCommand, openThroughJump } from '../../../src/ssh/socket.js';
import { arrived } from '../../support/fake-channel.js';

let server: Server | undefined;
const far: TcpSocket[] = [];
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
  for (const socket of far.splice(0)) socket.destroy();
  server?.close();
  server = undefined;
});

async function listen(): Promise<number> {
  server = createServer((socket) => far.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function never(): never {
  throw new Error('no server');
}

async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
  await arrived();
}

/** What a promise came to so far. */
function watch(running: Promise<unknown>): () => unknown {
  let outcome: unknown;
  running.then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  );
  return () => outcome;
}

describe('over TCP', () => {
  test('its deadline ends with the connection: a link may live long', async () => {
    const { stream } = await openTcp('127.0.0.1', await listen(), 1000);
    await pass(5000);
    expect(stream.destroyed).toBe(false);
    // ssh2 listens later; until then an error must not end the process.
    stream.destroy(new Error('reset'));
    await arrived();
    expect(stream.destroyed).toBe(true);
  });

  test('an address that does not answer is given up, with the code that says so', async () => {
    const port = await listen();
    const [patient, late] = [3001, 3000].map((ms) => watch(openTcp('127.0.0.1', port, ms)));
    // In the turn in which they began: no answer can have come.
    jest.advanceTimersByTime(3000);
    await once(server ?? never(), 'connection');
    await arrived();
    expect(late?.()).toMatchObject({ error: { code: 'ETIMEDOUT', message: 'no answer within 3 s' } });
    expect(patient?.()).toMatchObject({ value: expect.anything() as unknown });
  });

  test('a port that nobody listens on is an error at once, as it is', async () => {
    await expect(openTcp('127.0.0.1', 1, 1000)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // A deadline that is left would keep this process from ending.
    expect(jest.getTimerCount()).toBe(0);
    const socket = await openTcp('127.0.0.1', await listen(), 1000);
    const error = new Error('any');
    expect(await socket.explain(error)).toBe(error);
    socket.stream.destroy();
  });
});

describe('through a jump host', () => {
  function jumpHost(): { readonly link: Link; readonly asked: unknown[]; answer: Done<unknown> } {
    const jump = {
      asked: [] as unknown[],
      answer: (() => undefined) as Done<unknown>,
      link: {} as Link,
    };
    const forwardOut = (...words: readonly unknown[]): void => {
      jump.asked.push(words.slice(0, -1));
      jump.answer = words.at(-1) as Done<unknown>;
    };
    jump.link = { client: { forwardOut } } as unknown as Link;
    return jump;
  }
  /** As ssh2's: its close is on its way until the server has answered it. */
  function channel(): PassThrough & { readonly outgoing: { state: string }; close(): void } {
    const way = Object.assign(new PassThrough(), {
      outgoing: { state: 'open' },
      close() {
        way.outgoing.state = 'closing';
      },
    });
    return way;
  }
  const settings = settingsFrom(parseOptions('hostname 10.0.0.1\nport 2222'), { alias: 'a', home: '/', user: 'me' });

  test('it is asked for the host, and its channel is the way', async () => {
    const jump = jumpHost();
    const outcome = watch(openThroughJump(jump.link, settings, 1000));
    expect(jump.asked).toEqual([['127.0.0.1', 0, '10.0.0.1', 2222]]);
    const way = channel();
    jump.answer(undefined, way);
    await arrived();
    expect(outcome()).toMatchObject({ value: { stream: way } });
    way.emit('error', new Error('nobody listens yet'));
    expect(way.outgoing.state).toBe('open');
    way.close();
    // ssh2 says nothing more in this state.
    expect(way.outgoing.state).toBe('closed');
  });

  test('what comes too late is closed, and is no way', async () => {
    const jump = jumpHost();
    const outcome = watch(openThroughJump(jump.link, settings, 2000));
    await pass(2000);
    expect(outcome()).toMatchObject({
      error: { code: 'ETIMEDOUT', message: 'the jump host opened no way to it within 2 s' },
    });
    const way = channel();
    jump.answer(undefined, way);
    expect(way.outgoing.state).toBe('closed');
  });

  test('its refusal is the error', async () => {
    const jump = jumpHost();
    const outcome = watch(openThroughJump(jump.link, settings, 1000));
    jump.answer(new Error('administratively prohibited'), undefined);
    await arrived();
    expect(outcome()).toMatchObject({ error: { message: 'administratively prohibited' } });
  });
});

describe('through a command', () => {
  beforeEach(() => {
    jest.useRealTimers();
  });
  const env = { PATH: process.env['PATH'], PROVISION_SECRET: 'planted', OTHER: 'seen' };

  test('its stdin and stdout are the way, and it inherits no secret', async () => {
    // It goes on: of one that has ended, its end may be seen before what it said.
    const said = `read -r line; echo "$line $OTHER $PROVISION_SECRET."; exec cat`;
    const { stream } = openThroughCommand(`sh -c '${said}'`, env);
    stream.write('said\n');
    const [answer] = (await once(stream, 'data')) as [Buffer];
    expect(answer.toString()).toBe('said seen .\n');
    stream.destroy();
  });

  test.each<[string, string, string | undefined]>([
    ['what it said, where it failed', `sh -c 'echo why >&2; exit 3'`, 'ProxyCommand ended with status 3: why'],
    ['the end of what it said', `sh -c 'seq 9999 >&2; exit 3'`, `ProxyCommand ended with status 3: ${tailOfSeq()}`],
    ['that it can’t be started', '/nonexistent/command', 'ProxyCommand ended with status 127: '],
    ['nothing, where it ended well', 'true', undefined],
    ['nothing, where it was ended', `sh -c 'kill -9 $$'`, undefined],
  ])('explains an error by %s', async (_, command, message) => {
    const socket = openThroughCommand(command, env);
    socket.stream.resume();
    const error = new Error('Connection lost before handshake');
    const explained = await socket.explain(error);
    if (message === undefined) expect(explained).toBe(error);
    else expect(explained).toMatchObject({ message: expect.stringContaining(message) as unknown, cause: error });
    socket.stream.destroy();
  });

  test('a command that goes on explains nothing, and ends with the stream', async () => {
    const socket = openThroughCommand(`sh -c 'echo $$; exec sleep 60'`, env);
    const [pid] = (await once(socket.stream, 'data')) as [Buffer];
    const error = new Error('any');
    expect(await socket.explain(error)).toBe(error);
    const isThere = (): boolean => {
      try {
        return process.kill(Number(pid.toString()), 0);
      } catch {
        return false;
      }
    };
    expect(isThere()).toBe(true);
    socket.stream.destroy();
    while (isThere()) await arrived();
    expect(isThere()).toBe(false);
  });

  /** The last 2000 bytes of what the test has it say, as they are shown. */
  function tailOfSeq(): string {
    const all = Array.from({ length: 9999 }, (_, index) => `${index + 1}\n`).join('');
    return all.slice(-2000).trim();
  }
});

describe('a call with a callback', () => {
  const deadline = { ms: 1000, error: () => new Error('late') };

  test('gives what came in time, and nothing happens later', async () => {
    let late = 0;
    const outcome = watch(
      inTime<number>({ ...deadline, late: () => (late += 1) }, (done) => {
        done(undefined, 7);
      }),
    );
    await pass(5000);
    expect([outcome(), late]).toEqual([{ value: 7 }, 0]);
  });

  test('gives the error that came, or was thrown, whatever it is', async () => {
    const thrown = new TypeError('thrown');
    const calls: readonly ((done: Done<number>) => void)[] = [
      (done) => {
        done(thrown, 0);
      },
      () => {
        throw thrown;
      },
    ];
    for (const call of calls) await expect(inTime(deadline, call)).rejects.toBe(thrown);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is late after its time, and what comes then is put away; an error of then is nobody’s', async () => {
    const away: number[] = [];
    const dones: Done<number>[] = [];
    const start = (done: Done<number>): void => void dones.push(done);
    const outcomes = [1, 2].map(() => watch(inTime({ ...deadline, late: (value) => away.push(value) }, start)));
    await pass(999);
    expect(outcomes.map((outcome) => outcome())).toEqual([undefined, undefined]);
    await pass(1);
    expect(outcomes[0]?.()).toMatchObject({ error: { message: 'late' } });
    dones[0]?.(undefined, 7);
    dones[1]?.(new Error('gone'), 8);
    expect(away).toEqual([7]);
  });

  test('a deadline that was taken back does nothing, also in the turn in which it was due', async () => {
    jest.useFakeTimers();
    const acted: string[] = [];
    afterDeadline(10, () => acted.push('kept'));
    const takeBack = afterDeadline(10, () => acted.push('taken back'));
    jest.advanceTimersByTime(10);
    takeBack();
    afterDeadline(10, () => acted.push('never due'))();
    await jest.advanceTimersByTimeAsync(100);
    expect(acted).toEqual(['kept']);
  });
});

describe('a file that is sent', () => {
  const fileOf = (...parts: readonly string[]): Parameters<typeof sendFile>[1] => ({
    bytes: parts.join('').length,
    sha256: '',
    async *read() {
      await Promise.resolve();
      for (const part of parts) yield Buffer.from(part);
    },
  });

  /** Takes a part when a test says so. */
  function slowSink(): Writable & { readonly got: string[]; take(): void } {
    const got: string[] = [];
    let taken: (() => void) | undefined;
    const sink = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        got.push(chunk.toString());
        taken = done;
      },
    });
    return Object.assign(sink, { got, take: () => taken?.() });
  }

  test('goes no faster than it is taken', async () => {
    const sink = slowSink();
    const outcome = watch(sendFile(sink, fileOf('ab', 'cd')));
    await arrived();
    expect(sink.got).toEqual(['ab']);
    expect(sink.writableLength).toBe(2);
    sink.take();
    await arrived();
    expect(sink.got).toEqual(['ab', 'cd']);
    expect(outcome()).toBeUndefined();
    sink.take();
    await arrived();
    expect(sink.got).toEqual(['ab', 'cd', END_OF_PART]);
    expect(outcome()).toEqual({ value: undefined });
    // Nobody listens any more.
    expect([sink.listenerCount('drain'), sink.listenerCount('close')]).toEqual([0, 0]);
  });

  test('stops where the far side has gone, and that is no error of its own', async () => {
    const sink = slowSink();
    const outcome = watch(sendFile(sink, fileOf('ab', 'cd')));
    await arrived();
    sink.destroy();
    await arrived();
    expect([outcome(), sink.got]).toEqual([{ value: undefined }, ['ab']]);
    await sendFile(sink, fileOf('ab'));
    expect(sink.got).toEqual(['ab']);
  });

  test('an empty one is its end alone', async () => {
    const sink = slowSink();
    await sendFile(sink, fileOf());
    expect(sink.got).toEqual([END_OF_PART]);
  });
});
