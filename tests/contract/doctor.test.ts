import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { provision } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// `provision doctor` on this machine, in the home of a user who has nothing, and of one who has an agent, a key and a host.

let directory: string;
let agent: ChildProcess;
let socket: string;

beforeAll(async () => {
  directory = temporaryDirectory('doctor');
  const key = join(directory, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  socket = join(directory, 'socket');
  agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  // It prints where it listens once it does.
  await new Promise((done) => agent.stdout?.once('data', done));
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
});

afterAll(() => {
  agent.kill();
});

/**
 * In a home of its own. OpenSSH takes the home of the user database, not of the environment, so that its configuration is
 * named to it: the machine's own keys and hosts play no part.
 */
function doctor(home: string, env: Readonly<Record<string, string>> = {}): { status: number | null; stdout: string } {
  const ssh = join(directory, home, '.ssh');
  mkdirSync(join(directory, home, 'bin'), { recursive: true });
  mkdirSync(ssh, { recursive: true });
  const config = join(ssh, 'config');
  const files = [
    `IdentityFile ${ssh}/id_ed25519`,
    `UserKnownHostsFile ${ssh}/known_hosts`,
    'GlobalKnownHostsFile none',
  ];
  writeFileSync(config, `${files.join('\n')}\n`, { mode: 0o600 });
  program(home, 'ssh', `exec /usr/bin/ssh -F '${config}' "$@"`);
  const [node = '', main = ''] = provision();
  const PATH = `${join(directory, home, 'bin')}:${process.env['PATH'] ?? ''}`;
  return spawnSync(node, [resolve(main), 'doctor'], {
    ...{ cwd: directory, encoding: 'utf8', env: { PATH, HOME: join(directory, home), ...env } },
  });
}

/** Puts a program on the user's PATH. */
function program(home: string, name: string, line: string): void {
  mkdirSync(join(directory, home, 'bin'), { recursive: true });
  writeFileSync(join(directory, home, 'bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}

describe('provision doctor', () => {
  test('names what a new user is missing, fails for none of it, and shows no stack', () => {
    const { status, stdout } = doctor('empty');
    expect(stdout).toMatch(/^✔ node +Node \d+/m);
    expect(stdout).toMatch(/^✔ ssh-client/m);
    expect(stdout).toMatch(/^! ssh-keys +no agent, and no key in/m);
    expect(stdout).toMatch(/^✔ terminal +no terminal/m);
    expect(stdout).toMatch(/^! ca-passphrase/m);
    expect(stdout).toMatch(/^This machine: \d+ ok, \d+ warn$/m);
    expect(status).toBe(0);
  });

  test('sees an agent, a passphrase and programs that are there', () => {
    program('agent', 'etcdutl', ':');
    const secret = 'planted-passphrase';
    const { stdout } = doctor('agent', { SSH_AUTH_SOCK: socket, PROVISION_CA_PASSPHRASE: secret });
    expect(stdout).toMatch(/^✔ ssh-keys +an agent with 1 key$/m);
    expect(stdout).toMatch(/^✔ ca-passphrase +PROVISION_CA_PASSPHRASE is set$/m);
    expect(stdout).toMatch(/^✔ snapshot-verify +snapshots are restored on trial with etcdutl$/m);
    expect(stdout).not.toContain(secret);
  });

  test('says that an agent is gone', () => {
    const { stdout } = doctor('agent', { SSH_AUTH_SOCK: join(directory, 'nobody') });
    expect(stdout).toMatch(/^! ssh-keys +the agent of SSH_AUTH_SOCK: \S/m);
  });

  test('finds the keys and the known hosts that ssh would use', () => {
    mkdirSync(join(directory, 'home/.ssh'), { recursive: true });
    copyFileSync(join(directory, 'key'), join(directory, 'home/.ssh/id_ed25519'));
    writeFileSync(join(directory, 'home/.ssh/known_hosts'), 'etcd-1 ssh-ed25519 AAAA\n# a comment\n');
    const { stdout } = doctor('home');
    expect(stdout).toMatch(/^✔ ssh-keys +\S+\/\.ssh\/id_ed25519$/m);
    expect(stdout).toMatch(/^✔ known-hosts +known_hosts has 1 entry$/m);
  });
});
