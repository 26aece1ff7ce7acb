// A host that looks like any other while it is planned, and lies once something is done on it: apply really goes on to the
// honest hosts beside it, which are plain ones, and there just what was planned happens.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Command } from 'commander';
import type { ServerChannel } from 'ssh2';
import { defineApplyCommand } from '../../src/commands/apply.js';
import { ProvisionError } from '../../src/model/errors.js';
import { marksOf } from '../../src/shell/remote-command.js';
import { quote } from '../../src/shell/quote.js';
import { startHostileServer, type HostileServer } from '../support/hostile-server.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { verbContext } from '../support/verb-context.js';
import { scratch } from '../support/scratch.js';

jest.setTimeout(240_000);

const LIE = `\u001b]52;c;cm0=\u0007{{hostvars['host-2'].ansible_password}}\r\nDone: nothing to do\u202e$(id)`;
const HARM = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;
const SECRET = 'secret-canary';
const TEXT = 'as planned\n';

/** What of a machine is the host's own; all else is this machine's, and is not changed. */
const OWN = ['srv', 'run', 'var/lib', 'tmp'];

const transport = createLocalTransport('here');
const canUnshare =
  userInfo().uid === 0 && (await transport.run({ summary: 'try', script: 'unshare -m true' })).status === 0;
if (!canUnshare) console.warn('skipped: hosts with directories of their own, which need root and mount namespaces');

const servers: HostileServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Runs a command line as an honest host with these directories does. */
function runIn(root: string, channel: ServerChannel, line: string, sent: Readable): void {
  const mounts = OWN.map((name) => `mount --bind ${quote(join(root, name))} /${name}`);
  // The root itself lies in /tmp, which is bound last.
  const child = spawn('unshare', ['-m', 'sh', '-c', [...mounts, `exec sh -c ${quote(line)}`].join(' && ')], {
    cwd: scratch(),
    stdio: 'pipe',
  });
  sent.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk: Buffer) => channel.write(chunk));
  child.stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk));
  child.on('close', (status) => {
    channel.exit(status ?? 255);
    channel.end();
  });
}

/** A whole payload: the token, the script and what the script reads. */
function readPayload(channel: ServerChannel): Promise<string> {
  return new Promise((resolve) => {
    let sent = '';
    channel.on('data', (chunk: Buffer) => {
      sent += chunk.toString('latin1');
      if (sent.endsWith('.\n')) resolve(sent);
    });
  });
}

type Lie = (channel: ServerChannel, sent: string) => void;

const LIES: Readonly<Record<string, Lie>> = {
  'says that all went well, and lies in what it prints': (channel, sent) => {
    const { begin, end } = marksOf(sent.split('\n', 1)[0] ?? '');
    for (const out of [channel, channel.stderr]) out.write(`${begin}${LIE}${end}0\n`);
    channel.exit(0);
    channel.end();
  },
  'says that it failed, in terms that pose as ours': (channel, sent) => {
    const { begin, end } = marksOf(sent.split('\n', 1)[0] ?? '');
    for (const out of [channel, channel.stderr]) out.write(`${begin}${LIE}${end}7\n`);
    channel.exit(7);
    channel.end();
  },
  'forges marks': (channel) => {
    const { begin, end } = marksOf('00'.repeat(16));
    for (const out of [channel, channel.stderr]) out.write(`${begin}${LIE}${end}0\n`);
    channel.exit(0);
    channel.end();
  },
  'drops the connection': (channel) => {
    channel.write(LIE);
    channel.close();
  },
  floods: (channel) => {
    const more = (): void => {
      while (channel.write(Buffer.alloc(64 * 1024, LIE)));
    };
    channel.on('drain', more);
    channel.on('error', () => undefined);
    more();
  },
};

/** Honest until it is to do something with a script that holds this text. */
function lyingAt(text: string, lie: Lie, root: string, lies: string[]) {
  return async (channel: ServerChannel, line: string): Promise<void> => {
    const sent = await readPayload(channel);
    // A look ends each answer with a token of its own: to that it is honest.
    const isLook = /^printf '\\n%s %d\\n' [0-9a-f]+ \$\?$/m.test(sent);
    if (!isLook && sent.includes(text)) {
      lies.push(sent);
      lie(channel, sent);
    } else runIn(root, channel, line, Readable.from([Buffer.from(sent, 'latin1')]));
  };
}

interface Setting {
  readonly inventory: string;
  readonly playbook: string;
  /** Each host's own directories. */
  readonly roots: readonly string[];
  /** What the liar was sent when it lied. */
  readonly lies: readonly string[];
}

async function settingOf(name: string, lieAt: string, lie: Lie, serial: string): Promise<Setting> {
  const at = temporaryDirectory('hosts');
  const roots = [1, 2, 3].map((number) => join(at, `host-${number}`));
  for (const root of roots) for (const each of OWN) mkdirSync(join(root, each), { recursive: true });
  const [liar = ''] = roots;
  const lies: string[] = [];
  const hosts = await Promise.all(
    roots.map((root) =>
      startHostileServer({
        onExec:
          root === liar
            ? lyingAt(lieAt, lie, root, lies)
            : (channel, line) => {
                runIn(root, channel, line, channel);
              },
      }),
    ),
  );
  servers.push(...hosts);
  const inventory = join(at, 'hosts.yaml');
  const lines = hosts.map(
    ({ port }, index) => `    host-${index + 1}: { ansible_port: ${port}, ansible_password: ${SECRET}-${index} }\n`,
  );
  const args = '-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null';
  writeFileSync(
    inventory,
    `all:\n  vars: { ansible_host: 127.0.0.1, ansible_user: root, ansible_ssh_common_args: ${args} }\n  hosts:\n${lines.join('')}`,
  );
  const playbook = join(at, 'play.yaml');
  writeFileSync(
    playbook,
    `- name: ${name}\n  hosts: all\n${serial}  tasks:\n    - copy: { dest: /srv/planned.conf, content: "${TEXT.trim()}\\n" }\n`,
  );
  return { inventory, playbook, roots, lies };
}

/** Applies in this process. @returns all that was printed */
async function apply({ inventory, playbook }: Setting): Promise<string> {
  const out = new PassThrough();
  const printed: Buffer[] = [];
  out.on('data', (chunk: Buffer) => printed.push(chunk));
  const words = ['apply', inventory, '--playbook', playbook, '--yes', '--format', 'text'];
  const context = verbContext(out, words, { PATH: process.env['PATH'] });
  const program = new Command();
  defineApplyCommand(program.command('apply'), context);
  await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof ProvisionError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
  });
  return Buffer.concat(printed).toString('utf8');
}

/** All files of a host's own directories, but for what runs keep there: copies of files before, notes of runs. */
function filesOf(root: string): readonly string[] {
  return OWN.flatMap((name) =>
    readdirSync(join(root, name), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length)),
  );
}

(canUnshare ? describe : describe.skip)('beside a host that turns hostile', () => {
  test('the control: with three honest hosts, all have the file, and nothing else', async () => {
    const setting = await settingOf('honest', 'never sent', () => undefined, '');
    expect(await apply(setting)).toContain('Done: 3 changed');
    for (const root of setting.roots) {
      expect(filesOf(root)).toEqual(['/srv/planned.conf']);
      expect(readFileSync(join(root, 'srv/planned.conf'), 'utf8')).toBe(TEXT);
    }
  });

  test('the control: what is not planned would be found', async () => {
    const { roots } = await settingOf('planted', 'never sent', () => undefined, '');
    const [root = ''] = roots;
    writeFileSync(join(root, 'tmp', 'planted'), '');
    expect(filesOf(root)).toEqual(['/tmp/planted']);
  });

  describe.each(Object.entries(LIES))('which %s', (name, lie) => {
    test('when it is to be changed: the others of its batch get what was planned, and nothing else', async () => {
      const setting = await settingOf(name, '/srv/planned.conf', lie, '');
      const printed = await apply(setting);
      expectHarmless(printed);
      expect(setting.lies.length).toBeGreaterThan(0);
      for (const root of setting.roots.slice(1)) {
        expect(filesOf(root)).toEqual(['/srv/planned.conf']);
        expect(readFileSync(join(root, 'srv/planned.conf'), 'utf8')).toBe(TEXT);
      }
    });

    test('when it is to be changed first, one by one: nothing at all happens on the others', async () => {
      const setting = await settingOf(name, '/srv/planned.conf', lie, '  serial: 1\n');
      const printed = await apply(setting);
      expectHarmless(printed);
      expect(setting.lies.length).toBeGreaterThan(0);
      for (const root of setting.roots.slice(1)) expect(filesOf(root)).toEqual([]);
    });

    test('when it is to be locked: nothing at all happens on the others, and they are unlocked', async () => {
      const setting = await settingOf(name, 'provision/lock', lie, '');
      const printed = await apply(setting);
      expectHarmless(printed);
      expect(setting.lies.length).toBeGreaterThan(0);
      for (const root of setting.roots.slice(1)) expect(filesOf(root)).toEqual([]);
    });
  });
});

function expectHarmless(printed: string): void {
  expect(printed).not.toMatch(HARM);
  expect(printed).not.toContain(SECRET);
  expect(printed).not.toMatch(/^Done: nothing to do/m);
  expect(printed).toContain('host-1');
}
