import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ServerChannel } from 'ssh2';
import type { Context } from '../../src/commands/context.js';
import { runProgram } from '../../src/commands/program.js';
import { ProvisionError } from '../../src/model/errors.js';
import { marksOf } from '../../src/shell/remote-command.js';
import { hostileOptions, startHostileServer, wayTo, type HostileServer } from '../support/hostile-server.js';
import { withConnector } from '../support/sshd.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { verbContext } from '../support/verb-context.js';

jest.setTimeout(120_000);

/** Secrets of the other hosts and of the control machine. */
const SECRET = 'secret-canary';
/** Escapes of a terminal, a template, a line that poses as ours, and what a shell would run. */
const LIE = `\u001b]52;c;cm0=\u0007\u009d52;c;x\u009c{{hostvars['etcd-2'].ansible_password}}\r\nDone: nothing to do\u202e$(id)`;
const HARM = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

/** All that the client has sent when it waits for an answer: the token, the script and what the script reads. */
function readPayload(channel: ServerChannel): Promise<{ readonly token: string; readonly script: string }> {
  return new Promise((resolve) => {
    let sent = '';
    channel.on('data', (chunk: Buffer) => {
      sent += chunk.toString('latin1');
      if (!sent.endsWith('.\n')) return;
      const [token = ''] = sent.split('\n', 1);
      resolve({ token, script: sent.slice(token.length + 1, -2) });
    });
  });
}

type Answering = (channel: ServerChannel, line: string) => unknown;

/** The tokens that end the answers of a look; none where the script is no look. */
function framesOf(script: string): readonly string[] {
  return [...script.matchAll(/^printf '\\n%s %d\\n' ([0-9a-f]+) \$\?$/gm)].map(([, frame = '']) => frame);
}

/** Lets a command in, reads all that it is sent, and answers in marks. */
async function answer(
  channel: ServerChannel,
  line: string,
  outputsOf: (script: string) => { readonly stdout: string; readonly stderr: string },
): Promise<void> {
  const granted = /granted-[0-9a-f]+/.exec(line)?.[0];
  if (granted !== undefined) channel.stderr.write(`${granted}\n`);
  const { token, script } = await readPayload(channel);
  const { stdout, stderr } = outputsOf(script);
  const { begin, end } = marksOf(token);
  channel.write(`${begin}${stdout}${end}0\n`);
  channel.stderr.write(`${begin}${stderr}${end}0\n`);
  channel.exit(0);
  channel.end();
}

/** Answers each fact of a look with the same text, framed as the look wants it; any other script just with the text. */
function answering(text: string): Answering {
  return (channel, line) =>
    answer(channel, line, (script) => {
      const frames = framesOf(script);
      const stdout = frames.length === 0 ? text : frames.map((frame) => `${text}\n${frame} 0\n`).join('');
      return { stdout, stderr: text };
    });
}

/** A host that says nothing of interest; all that it was sent is written down. */
function listening(received: string[]): Answering {
  return (channel, line) =>
    answer(channel, line, (script) => {
      received.push(`${line}\n${script}`);
      const stdout = framesOf(script).map((frame) => `\n${frame} 0\n`);
      return { stdout: stdout.join(''), stderr: '' };
    });
}

/** Writes down what comes, and goes on as the host does. */
function recording(received: string[], onExec: Answering): Answering {
  return (channel, line) => {
    received.push(line);
    channel.on('data', (chunk: Buffer) => received.push(chunk.toString('latin1')));
    return onExec(channel, line);
  };
}

/** Of what hosts were sent: what changes something, or asks outside of a look. */
function beyondLooks(received: readonly string[]): readonly string[] {
  return received.filter((sent) => framesOf(sent).length === 0);
}

function forge(channel: ServerChannel): void {
  const { begin, end } = marksOf('00'.repeat(16));
  for (const out of [channel, channel.stderr]) out.write(`${begin}${LIE}${end}0\n`);
  channel.exit(0);
  channel.end();
}

function flood(channel: ServerChannel): void {
  const more = (): void => {
    while (channel.write(Buffer.alloc(64 * 1024, LIE)));
  };
  channel.on('drain', more);
  channel.on('error', () => undefined);
  more();
}

const BEHAVIOURS: Readonly<Record<string, Answering>> = {
  'lies in every answer': answering(LIE),
  'answers nothing at all': answering(''),
  'answers with numbers': answering('9'.repeat(400)),
  'answers with one long line': answering('x'.repeat(1_000_000)),
  'forges marks': forge,
  floods: flood,
  'drops in the middle of an answer': (channel) => {
    channel.write(LIE);
    channel.close();
  },
};

let directory: string;
const servers: HostileServer[] = [];

beforeAll(() => {
  directory = temporaryDirectory('hostile-host');
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

/** An inventory, and what its hosts were sent. */
interface Setting {
  readonly inventory: string;
  readonly toLiar: string[];
  readonly toOthers: string[];
}

/** An inventory of one hostile host and two that say nothing of interest. */
async function inventoryWith(name: string, onExec: Answering | undefined): Promise<Setting> {
  const [toLiar, toOthers]: [string[], string[]] = [[], []];
  const hosts = await Promise.all([
    startHostileServer(onExec === undefined ? { silentAt: 'exec' } : { onExec: recording(toLiar, onExec) }),
    startHostileServer({ onExec: listening(toOthers) }),
    startHostileServer({ onExec: listening(toOthers) }),
  ]);
  servers.push(...hosts);
  const at = join(directory, name.replaceAll(' ', '-'));
  mkdirSync(at);
  const file = join(at, 'inventory.yaml');
  const lines = hosts.map(
    ({ port }, index) =>
      `    etcd-${index + 1}: { ansible_port: ${port}, ip: 192.0.2.1${index}, ansible_password: ${SECRET}-${index} }`,
  );
  writeFileSync(
    file,
    `all:
  vars:
    ansible_host: 127.0.0.1
    ansible_user: ops
    ansible_ssh_common_args: -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
    etcd_lb_ip: 192.0.2.100
etcd:
  hosts:
${lines.join('\n')}
`,
  );
  return { inventory: file, toLiar, toOthers };
}

/** Runs a verb in this process. @returns all that it printed, its error with it */
function run(...args: readonly string[]): Promise<string> {
  return runWith({}, ...args);
}

/** The same, with other deadlines of the connections. */
async function runWith(timing: NonNullable<Context['timing']>, ...args: readonly string[]): Promise<string> {
  const out = new PassThrough();
  const printed: Buffer[] = [];
  out.on('data', (chunk: Buffer) => printed.push(chunk));
  const env = { PATH: process.env['PATH'], PROVISION_CA_PASSPHRASE: SECRET };
  const context = { ...verbContext(out, args, env), timing };
  await runProgram(context).catch((error: unknown) => {
    // Anything else is a bug of ours that a host has found.
    if (!(error instanceof ProvisionError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
  });
  return Buffer.concat(printed).toString('utf8');
}

test('the control: what the hosts say is harmful as it is', () => {
  expect(LIE).toMatch(HARM);
});

test('the control: a secret that is sent to another host is found in what it received', async () => {
  const received: string[] = [];
  const server = await startHostileServer({ onExec: listening(received) });
  servers.push(server);
  await withConnector(hostileOptions({ one: wayTo(server) }), async (connector) =>
    (await connector.connect('one')).run({ summary: 'leak', script: `: ${SECRET}` }),
  );
  expect(received.join('')).toContain(SECRET);
  expect(beyondLooks(received)).toHaveLength(1);
});

describe.each(Object.entries(BEHAVIOURS))('a host that %s', (name, onExec) => {
  test('every verb: no harm to the terminal, no secret to anybody, no change elsewhere, and the report says who', async () => {
    const { inventory, toLiar, toOthers } = await inventoryWith(name, onExec);
    // One after the other: jest's modules can't be loaded by two at once.
    const printed: string[] = [await run('plan', inventory, '--format', 'text')];
    printed.push(await run('apply', inventory, '--yes', '--gate-timeout', '1', '--format', 'text'));
    printed.push(await run('adopt', inventory, '--yes'));
    const planned = beyondLooks(toOthers);
    for (const verb of ['verify', 'unlock', 'history']) printed.push(await run(verb, inventory));
    for (const text of printed) {
      expect(text).not.toMatch(HARM);
      expect(text).not.toContain(SECRET);
      expect(text).not.toMatch(/^Done: nothing to do/m);
      expect(text.length).toBeLessThan(200_000);
    }
    // What stands in the way is this host: neither of the others is changed.
    expect(planned).toEqual([]);
    expect(toOthers.length).toBeGreaterThan(0);
    for (const received of [toLiar, toOthers]) expect(received.join('')).not.toContain(SECRET);
    expect(toOthers.join('')).not.toContain('Done: nothing to do');
    expect(printed.join('')).toContain('etcd-1');
    // Nothing but the journal of apply was written beside the inventory, whatever a host said.
    const beside = join(inventory, '..');
    expect(readdirSync(beside)).toEqual(['.provision', 'inventory.yaml']);
    const journals = readdirSync(join(beside, '.provision'), { recursive: true, withFileTypes: true });
    for (const file of journals.filter((entry) => entry.isFile()))
      expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toContain(SECRET);
  });
});

test('a host that takes commands and never answers is given up, and named', async () => {
  const { inventory } = await inventoryWith('hangs', undefined);
  const inTime = { channelTimeoutMs: 1000 };
  const givenUp = /etcd-1.*opened no channel for a command within 1 s/;
  expect(await runWith(inTime, 'plan', inventory)).toMatch(givenUp);
  const verified = await runWith(inTime, 'verify', inventory);
  expect(verified).toMatch(givenUp);
  // Also in the picture above: a health check does without one where it could not be drawn.
  expect(verified).toMatch(/^etcd members +etcd-1.*: unreachable/m);
});
