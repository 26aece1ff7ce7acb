import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Command } from 'commander';
import type { ServerChannel } from 'ssh2';
import type { Context } from '../../src/commands/context.js';
import { addHistoryCommand } from '../../src/commands/history.js';
import { addPlanCommand } from '../../src/commands/plan.js';
import { addUnlockCommand } from '../../src/commands/unlock.js';
import { addVerifyCommand } from '../../src/commands/verify.js';
import { ProvisionError } from '../../src/model/errors.js';
import { textOutput } from '../../src/report/text-output.js';
import { marksOf } from '../../src/shell/remote-command.js';
import { startHostileServer, type HostileServer } from '../support/hostile-server.js';

// A server that hangs is given up after 30 s.
jest.setTimeout(240_000);

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

/** Answers each fact of a look with the same text, framed as the look wants it; any other script just with the text. */
function answering(text: string): Answering {
  return async (channel, line) => {
    const granted = /granted-[0-9a-f]+/.exec(line)?.[0];
    if (granted !== undefined) channel.stderr.write(`${granted}\n`);
    const { token, script } = await readPayload(channel);
    const frames = [...script.matchAll(/^printf '\\n%s %d\\n' ([0-9a-f]+) \$\?$/gm)].map(([, frame = '']) => frame);
    const body = frames.length === 0 ? text : frames.map((frame) => `${text}\n${frame} 0\n`).join('');
    const { begin, end } = marksOf(token);
    channel.write(`${begin}${body}${end}0\n`);
    channel.stderr.write(`${begin}${text}${end}0\n`);
    channel.exit(0);
    channel.end();
  };
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
  directory = mkdtempSync(join(tmpdir(), 'hostile-host-'));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(directory, { recursive: true });
});

/** An inventory of one hostile host and two that say nothing of interest. */
async function inventoryWith(name: string, onExec: Answering | undefined): Promise<string> {
  const hosts = await Promise.all([
    startHostileServer(onExec === undefined ? { silentAt: 'exec' } : { onExec }),
    startHostileServer({ onExec: answering('') }),
    startHostileServer({ onExec: answering('') }),
  ]);
  servers.push(...hosts);
  const at = join(directory, name.replaceAll(' ', '-'));
  mkdirSync(at);
  const file = join(at, 'inventory.yaml');
  const lines = hosts.map(
    ({ port }, index) => `    etcd-${index + 1}: { ansible_port: ${port}, ip: 192.0.2.1${index} }`,
  );
  writeFileSync(
    file,
    `all:
  vars:
    ansible_host: 127.0.0.1
    ansible_user: ops
    ansible_password: ${SECRET}
    ansible_ssh_common_args: -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
    etcd_lb_ip: 192.0.2.100
etcd:
  hosts:
${lines.join('\n')}
`,
  );
  return file;
}

/** Runs a verb in this process. @returns all that it printed, its error with it */
async function run(...args: readonly string[]): Promise<string> {
  const out = new PassThrough();
  const printed: Buffer[] = [];
  out.on('data', (chunk: Buffer) => printed.push(chunk));
  const context = {
    stdout: textOutput(out),
    stderr: textOutput(out),
    streams: { stdout: out, stderr: out },
    env: { PATH: process.env['PATH'], PROVISION_CA_PASSPHRASE: SECRET },
    ask: { confirm: () => Promise.resolve(false) },
    exit: () => undefined,
  } as unknown as Context;
  const program = new Command();
  for (const add of [addPlanCommand, addVerifyCommand, addUnlockCommand, addHistoryCommand]) add(program, context);
  await program.parseAsync([...args], { from: 'user' }).catch((error: unknown) => {
    // Anything else is a bug of ours that a host has found.
    if (!(error instanceof ProvisionError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
  });
  return Buffer.concat(printed).toString('utf8');
}

test('the control: what the hosts say is harmful as it is', () => {
  expect(LIE).toMatch(HARM);
});

describe.each(Object.entries(BEHAVIOURS))('a host that %s', (name, onExec) => {
  test('plan, verify, unlock and history: no harm to the terminal, no secret, and the report says who', async () => {
    const inventory = await inventoryWith(name, onExec);
    // One after the other: jest's modules can't be loaded by two at once.
    const plan = await run('plan', inventory, '--format', 'text');
    const others: string[] = [];
    for (const verb of ['verify', 'unlock', 'history']) others.push(await run(verb, inventory));
    for (const printed of [plan, ...others]) {
      expect(printed).not.toMatch(HARM);
      expect(printed).not.toContain(SECRET);
      expect(printed).not.toMatch(/^Done: nothing to do/m);
      expect(printed.length).toBeLessThan(200_000);
    }
    expect(`${plan}${others.join('')}`).toContain('etcd-1');
    // Nothing was written beside the inventory, whatever a host said.
    expect(readdirSync(join(inventory, '..'))).toEqual(['inventory.yaml']);
  });
});

test('a host that takes commands and never answers is given up, and named', async () => {
  const inventory = await inventoryWith('hangs', undefined);
  expect(await run('verify', inventory)).toMatch(/etcd-1.*opened no channel for a command within 30 s/);
});
