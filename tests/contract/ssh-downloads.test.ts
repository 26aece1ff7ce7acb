import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ServerChannel } from 'ssh2';
import type { Connector, Intake, StdinFile, Transport } from '../../src/model/remote.js';
import { marksOf } from '../../src/shell/remote-command.js';
import { createSshConnector } from '../../src/ssh/connector.js';
import {
  hostileOptions,
  readToken,
  runHonestly,
  startHostileServer,
  wayTo,
  type Behaviour,
  type HostileServer,
} from '../support/hostile-server.js';
import { connectionTo, createSshLab, labOptions, makeKey, missingSshd, trust, type SshLab } from '../support/sshd.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;

interface Counting extends Intake {
  bytes(): number;
  sha256(): string;
}

/** Counts what it is given, and keeps none of it. */
function counting(more: Partial<Intake> = {}): Counting {
  const hash = createHash('sha256');
  let size = 0;
  return {
    maxBytes: 1024 * MIB,
    firstByteMs: 60_000,
    silenceMs: 60_000,
    take(bytes) {
      size += bytes.length;
      hash.update(bytes);
      return Promise.resolve();
    },
    bytes: () => size,
    sha256: () => hash.digest('hex'),
    ...more,
  };
}

(missingSshd === undefined ? describe : describe.skip)('downloads from a real sshd', () => {
  let lab: SshLab;
  let connector: Connector;
  let transport: Transport;

  beforeAll(async () => {
    lab = createSshLab();
    const server = await lab.startServer('one');
    trust(lab, server);
    connector = createSshConnector(labOptions(lab, { one: connectionTo(server) }));
    transport = await connector.connect('one');
  });

  afterAll(async () => {
    await connector.close();
    await lab.remove();
  });

  const download = (script: string, intake: Intake): ReturnType<Transport['download']> =>
    transport.download({ summary: 'fetch', script }, intake);

  test.each([0, 1, 31, 40, 65_536, 5 * MIB + 7])('hands on %d bytes exactly, with status and stderr', async (size) => {
    const file = join(lab.directory, `bytes-${size}`);
    writeFileSync(file, randomBytes(size));
    const intake = counting();
    const output = await download(`cat '${file}'; echo said >&2; exit 3`, intake);
    expect(output).toMatchObject({ status: 3, stdout: '', stderr: 'said\n' });
    expect(intake.bytes()).toBe(size);
    expect(intake.sha256()).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
  });

  test('a large stream needs little memory, and one that is taken slowly no more', async () => {
    const size = 192 * MIB;
    let most = 0;
    let calls = 0;
    const before = process.memoryUsage();
    const intake = counting({
      async take() {
        calls += 1;
        // The sender would fill all memory in this time, did nobody make it wait.
        if (calls % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
        const { rss } = process.memoryUsage();
        most = Math.max(most, rss - before.rss);
      },
    });
    await download(`head -c ${size} /dev/zero`, intake);
    expect(calls).toBeGreaterThan(0);
    expect(most).toBeLessThan(100 * MIB);
  });

  test('the host waits while nothing is taken', async () => {
    const progress = join(lab.directory, 'progress');
    let free = (): void => undefined;
    const blocked = new Promise<void>((resolve) => {
      free = resolve;
    });
    let first = true;
    let size = 0;
    const done = download(
      `i=0; while [ $i -lt 64 ]; do head -c ${MIB} /dev/zero; i=$((i + 1)); echo $i >'${progress}'; done`,
      counting({
        take(bytes) {
          size += bytes.length;
          if (!first) return Promise.resolve();
          first = false;
          return blocked;
        },
      }),
    );
    // Long enough for the whole of it, were there nothing that holds it up: another command does as much meanwhile.
    await transport.run({ summary: 'as much', script: `head -c ${64 * MIB} /dev/zero | wc -c` });
    const written = existsSync(progress) ? Number(readFileSync(progress, 'utf8')) : 0;
    free();
    await done;
    expect(written).toBeLessThan(16);
    expect(size).toBe(64 * MIB);
  });

  test('what is taken wrongly ends the command, and its error comes back as it is', async () => {
    const full = new Error('no room');
    const failed = download('yes', counting({ take: () => Promise.reject(full) }));
    await expect(failed).rejects.toBe(full);
    // The connection lives on.
    expect(await transport.run({ summary: 'try', script: 'echo in' })).toMatchObject({ stdout: 'in\n' });
  });

  test('an endless stream ends at the limit', async () => {
    const intake = counting({ maxBytes: 3 * MIB });
    await expect(download('yes', intake)).rejects.toMatchObject({ code: 'output-too-large' });
    expect(intake.bytes()).toBeLessThan(8 * MIB);
  });

  test.each([
    ['before the first byte', 'sleep 60', { firstByteMs: 300 }],
    ['after it', 'head -c 100000 /dev/zero; sleep 60', { silenceMs: 300 }],
  ])('a silence %s ends it', async (_, script, more) => {
    await expect(download(script, counting(more))).rejects.toMatchObject({
      code: 'command-hung',
      message: expect.stringMatching(/nothing more came/),
    });
  });

  test('sends a file that is read while it is sent, whole or not at all', async () => {
    const file = join(lab.directory, 'large');
    const landed = join(lab.directory, 'landed');
    execFileSync('sh', ['-c', `head -c ${64 * MIB} /dev/urandom >'${file}'`]);
    const sha256 = execFileSync('sha256sum', [file], { encoding: 'utf8' }).slice(0, 64);
    const stdin = { bytes: 64 * MIB, sha256, read: () => createReadStream(file) as AsyncIterable<Uint8Array> };
    const { stdout } = await transport.run({ summary: 'send', script: `tee '${landed}' | sha256sum`, stdin });
    expect(stdout.slice(0, 64)).toBe(sha256);
    expect(statSync(landed).size).toBe(64 * MIB);
    // One byte less than was announced: the script never comes to its end.
    const cut: StdinFile = { ...stdin, bytes: 64 * MIB + 1 };
    const script = `cat >'${landed}.part'; mv '${landed}.part' '${landed}.2'`;
    await expect(transport.run({ summary: 'send', script, stdin: cut })).rejects.toThrow(
      'has changed while it was sent',
    );
    expect(existsSync(`${landed}.2`)).toBe(false);
  });

  test('a command may leave a sent file unread', async () => {
    const read = (): AsyncIterable<Uint8Array> => createReadStream('/dev/zero', { end: 32 * MIB - 1 });
    const stdin = { bytes: 32 * MIB, sha256: '', read };
    expect(await transport.run({ summary: 'send', script: 'exit 7', stdin })).toMatchObject({ status: 7 });
  });
});

describe('downloads from a hostile server', () => {
  const servers: HostileServer[] = [];
  const connectors: Connector[] = [];

  afterEach(async () => {
    await Promise.all(connectors.splice(0).map((each) => each.close()));
    await Promise.all(servers.splice(0).map((each) => each.close()));
  });

  async function downloadFrom(onExec: Behaviour['onExec'], intake: Intake): Promise<unknown> {
    const server = await startHostileServer(onExec === undefined ? {} : { onExec });
    servers.push(server);
    const connector = createSshConnector(hostileOptions({ one: wayTo(server) }));
    connectors.push(connector);
    return (await connector.connect('one'))
      .download({ summary: 'fetch', script: 'cat' }, intake)
      .catch((e: unknown) => e);
  }

  test('what breaks off without the end mark is no success, though its status is 0', async () => {
    const intake = counting();
    const answer = await downloadFrom((channel: ServerChannel) => {
      void readToken(channel).then((token) => {
        channel.write(`${marksOf(token).begin}half`);
        channel.exit(0);
        channel.end();
      });
    }, intake);
    expect(answer).toMatchObject({ code: 'no-answer' });
  });

  test('a flood that heeds no window ends at the limit', async () => {
    const intake = counting({ maxBytes: 4 * MIB });
    const answer = await downloadFrom((channel: ServerChannel) => {
      void readToken(channel).then((token) => {
        channel.write(marksOf(token).begin);
        const pour = (): void => {
          if (channel.writable) channel.write(Buffer.alloc(65_536), pour);
        };
        pour();
      });
    }, intake);
    expect(answer).toMatchObject({ code: 'output-too-large' });
    expect(intake.bytes()).toBeLessThanOrEqual(8 * MIB);
  });

  /** What a client said on its channels after it had closed them. */
  function lastWords(messages: readonly string[]): string[] {
    const closed = new Set<string>();
    return messages.filter((message) => {
      const [, name = '', channel = ''] = /^(\w+) \(r:(\d+)/.exec(message) ?? [];
      if (name === 'CHANNEL_CLOSE') closed.add(channel);
      return name !== 'CHANNEL_CLOSE' && closed.has(channel);
    });
  }

  /** Sends so much at once, whatever window it was given. */
  function pourOut(channel: ServerChannel, size: number): void {
    void readToken(channel).then((token) => {
      (channel.outgoing as { window: number }).window = 2 * size;
      channel.write(marksOf(token).begin);
      channel.write(Buffer.alloc(size));
    });
  }
  const full = new Error('no room');
  const refusing = (): Intake => counting({ take: () => Promise.reject(full) });

  // Else a channel that the server gives the same number would be sent more than the library takes, and lose bytes.
  test('nothing is said on a channel that was closed while more was on its way', async () => {
    const messages: string[] = [];
    const server = await startHostileServer({
      onExec(channel, line) {
        if (server.lines.length > 1) runHonestly(channel, line);
        else pourOut(channel, 3 * MIB);
      },
      onMessage: (message) => messages.push(message),
    });
    servers.push(server);
    const connector = createSshConnector(hostileOptions({ one: wayTo(server) }));
    connectors.push(connector);
    const one = await connector.connect('one');
    await expect(one.download({ summary: 'fetch', script: 'cat' }, refusing())).rejects.toBe(full);
    expect(await one.run({ summary: 'next', script: 'echo in' })).toMatchObject({ stdout: 'in\n' });
    expect(messages).toContain('CHANNEL_CLOSE (r:0)');
    expect(lastWords(messages)).toEqual([]);
    expect(lastWords([...messages, 'CHANNEL_WINDOW_ADJUST (r:0, 1)'])).toHaveLength(1);
  });

  test('nor on the channel of a jump host', async () => {
    const messages: string[] = [];
    const target = await startHostileServer({
      onExec: (channel) => {
        pourOut(channel, 16 * MIB);
      },
    });
    const jump = await startHostileServer({ onMessage: (message) => messages.push(message) });
    servers.push(target, jump);
    // A jump host gets keys only, and those of the home.
    const home = temporaryDirectory('hostile');
    mkdirSync(join(home, '.ssh'));
    makeKey(join(home, '.ssh/id_ed25519'), '-t', 'ed25519');
    const way = wayTo(target, { sshArgs: `-J ops@127.0.0.1:${jump.port}` });
    const connector = createSshConnector({ ...hostileOptions({ one: way }), home });
    connectors.push(connector);
    const one = await connector.connect('one');
    await expect(one.download({ summary: 'fetch', script: 'cat' }, refusing())).rejects.toBe(full);
    await target.allClosed();
    await connector.close();
    await jump.allClosed();
    expect(messages).toContain('CHANNEL_CLOSE (r:0)');
    expect(lastWords(messages)).toEqual([]);
  });
});
