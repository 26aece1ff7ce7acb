import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Command, Connector, Output, Transport } from '../../src/model/remote.js';
import { Secret } from '../../src/model/secret.js';
import { createSshConnector } from '../../src/ssh/connector.js';
import { createLocalTransport } from '../support/local-transport.js';
import { meanwhile } from '../support/meanwhile.js';
import {
  connectionTo,
  createSshLab,
  labOptions,
  missingSshd,
  trust,
  withConnector,
  type SshLab,
} from '../support/sshd.js';

/** A command that ends at its time-out has to have begun before, also where lab files keep the machine busy. */
const START_MS = 5_000;

if (missingSshd !== undefined) console.warn(`skipped: commands over SSH: ${missingSshd}`);

/** What every transport must do; the fake host of other tests too. */
function behavesAsTransport(get: () => Transport): void {
  const run = (command: Omit<Command, 'summary'>): Promise<Output> => get().run({ summary: 'try', ...command });

  test('gives status and both outputs, untrimmed', async () => {
    const output = await run({ script: 'echo out; echo err >&2; exit 3' });
    expect(output).toMatchObject({ status: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  test('without stdin a command reads the end of file', async () => {
    expect(await run({ script: 'cat; echo end' })).toMatchObject({ status: 0, stdout: 'end\n' });
  });

  test('keeps UTF-8 whole, wherever chunks end', async () => {
    const text = '€𝄞ü'.repeat(100_000);
    expect((await run({ script: 'cat', stdin: text })).stdout === text).toBe(true);
  });

  test('gives the bytes as they came, also those that are no UTF-8', async () => {
    const { stdoutBytes } = await run({ script: `printf '\\357\\273\\277a\\377\\000b\\n'` });
    expect(Buffer.from(stdoutBytes)).toEqual(Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x00, 0x62, 0x0a]));
  });

  test.each([
    ['a text', 'secret\n'],
    ['a secret', new Secret('secret\n')],
    ['bytes', Buffer.from('secret\n')],
  ])('takes %s on stdin', async (_, stdin) => {
    expect((await run({ script: 'cat', stdin })).stdout).toBe('secret\n');
  });

  test('takes 10 MB of any bytes on stdin', async () => {
    const stdin = randomBytes(10 * 1024 * 1024);
    const sum = execFileSync('sha256sum', { input: stdin, encoding: 'utf8' });
    expect((await run({ script: 'sha256sum', stdin })).stdout).toBe(sum);
  });

  test('a command may leave its stdin unread', async () => {
    expect(await run({ script: 'exit 7', stdin: randomBytes(3 * 1024 * 1024) })).toMatchObject({ status: 7 });
  });

  test('runs scripts that hold any quotes', async () => {
    const script = `x='a "b"'; printf '%s|' "$x" it\\'s "$(echo '$y')" <<'END'\nunused\nEND\n`;
    expect((await run({ script })).stdout).toBe(`a "b"|it's|$y|`);
  });

  const sleeping = meanwhile(() => run({ script: 'sleep 30', timeoutMs: START_MS }));
  test('ends a command at its time-out with status 124', async () => {
    expect(await sleeping()).toMatchObject({ status: 124 });
  });

  const mark = `3${String(Date.now()).slice(-6)}`;
  const ofTwo = meanwhile(() => run({ script: `sleep ${mark} & sleep ${mark}`, timeoutMs: START_MS }));
  test('a time-out ends what the command started, too', async () => {
    await ofTwo();
    expect((await run({ script: `ps -ef | grep '[s]leep ${mark}'` })).stdout).toBe('');
  });
}

describe('commands here', () => {
  behavesAsTransport(() => createLocalTransport('here'));
});

/** The arguments of every process on this machine. */
function argumentsOfAllProcesses(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8');
      } catch {
        return '';
      }
    })
    .join('\n');
}

(missingSshd === undefined ? describe : describe.skip)('commands over SSH', () => {
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

  behavesAsTransport(() => transport);

  test.each([
    [
      'a forced command that prints around it and ends with another status',
      `ForceCommand echo Welcome; echo warning >&2; sh -c "$SSH_ORIGINAL_COMMAND"; echo bye; exit 9`,
    ],
    [
      'a login shell that reads /etc/profile, and its umask',
      // What the tester's own start files do, or wait for, is no part of it.
      `ForceCommand umask 077; echo Welcome; export HOME=/nonexistent; exec bash -lc "$SSH_ORIGINAL_COMMAND"`,
    ],
  ])('%s changes no answer', async (_, option) => {
    const noisy = await lab.startServer(
      `noisy-${option.length}`,
      option,
      'SetEnv SHLVL=2 ETCDCTL_ENDPOINTS=http://wrong:1',
    );
    trust(lab, noisy);
    await withConnector(labOptions(lab, { noisy: connectionTo(noisy) }), async (other) => {
      const host = await other.connect('noisy');
      const script = 'echo out; echo err >&2; umask; env | grep ETCDCTL; exit 3';
      expect(await host.run({ summary: 'try', script })).toMatchObject({
        status: 3,
        stdout: 'out\n0022\n',
        stderr: 'err\n',
      });
    });
  });

  test('the same host is connected to once', async () => {
    expect(await connector.connect('one')).toBe(transport);
  });

  test('a script sees nothing of what runs it: neither its own text, nor the token that ends its answer', async () => {
    const output = await transport.run({ summary: 'variables', script: `own=mine; set | grep -E '^(own|s|t|e|c)='` });
    expect(output).toMatchObject({ status: 0, stdout: "own='mine'\n" });
  });

  test('a script may be longer than one argument of a process', async () => {
    const output = await transport.run({ summary: 'long', script: `${'# filler\n'.repeat(60_000)}echo end` });
    expect(output).toMatchObject({ status: 0, stdout: 'end\n', stderr: '' });
  });

  // No other process sleeps just as long.
  const mark = `60.${String(Date.now()).slice(-6)}`;
  const stubborn = meanwhile(async () => {
    const script = `trap '' TERM; sleep ${mark} | cat; sleep ${mark}`;
    const ended = transport.run({ summary: 'stubborn', script, timeoutMs: START_MS });
    // The control: while it runs it is found.
    while (!argumentsOfAllProcesses().includes(mark)) await new Promise((resolve) => setTimeout(resolve, 50));
    return ended;
  });
  test('a command that ignores SIGTERM is killed with all that it started, and that is a time-out', async () => {
    expect(await stubborn()).toMatchObject({ status: 124 });
    expect(argumentsOfAllProcesses()).not.toContain(mark);
  });

  test('a command killed by a signal of its own is a failure like in a shell', async () => {
    expect(await transport.run({ summary: 'suicide', script: 'kill -9 $$' })).toMatchObject({ status: 137 });
  });

  test('a daemon that holds the outputs open does not hold the command up', async () => {
    const output = await transport.run({ summary: 'daemon', script: 'sleep 60 & echo "$!"' });
    process.kill(Number(output.stdout));
    expect(output.status).toBe(0);
  });

  test('runs 20 commands at once on one connection', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    const outputs = await Promise.all(
      numbers.map((text) => transport.run({ summary: 'echo', script: `sleep 0.1; echo ${text}` })),
    );
    expect(outputs.map((output) => output.stdout.trim())).toEqual(numbers);
  });

  test('output without end is cut off', async () => {
    await expect(transport.run({ summary: 'flood', script: 'yes' })).rejects.toMatchObject({
      code: 'output-too-large',
      host: 'one',
      command: 'flood',
    });
  });

  test('neither script nor stdin shows in any process, here or there', async () => {
    const [inScript, inStdin, planted] = ['script', 'stdin', 'planted'].map((name) => `${name}${Date.now()}canary`);
    const [ready, seen] = ['ready', 'seen'].map((name) => join(lab.directory, name)) as [string, string];
    const wait = `until [ -e ${seen} ]; do sleep 0.05; done`;
    const script = `: ${inScript ?? ''}; sh -c '${wait}' ${planted ?? ''} & touch ${ready}; cat >/dev/null; wait`;
    const stdin = new Secret(inStdin ?? '');
    const running = transport.run({ summary: 'wait', script, stdin, timeoutMs: 60_000 });
    while (!existsSync(ready)) await new Promise((resolve) => setTimeout(resolve, 10));
    const shown = argumentsOfAllProcesses();
    writeFileSync(seen, '');
    await running;
    // The control: what is planted in an argument is found.
    expect(shown).toContain(planted);
    expect(shown).not.toContain(inStdin);
    expect(shown).not.toContain(inScript);
  });
});
