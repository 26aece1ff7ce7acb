import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Connection } from '../../src/model/inventory.js';
import { Secret } from '../../src/model/secret.js';
import type { ConnectorOptions } from '../../src/ssh/connector.js';
import {
  connectionTo,
  createSshLab,
  labOptions,
  makeKey,
  missingSshd,
  trust,
  withConnector,
  type Server,
  type SshLab,
} from '../support/sshd.js';

if (missingSshd !== undefined) console.warn(`skipped: logins: ${missingSshd}`);

(missingSshd === undefined ? describe : describe.skip)('logins', () => {
  let lab: SshLab;
  let server: Server;
  /** A home without keys of its own. */
  let bare: string;
  let agent: ChildProcess | undefined;

  beforeAll(async () => {
    lab = createSshLab();
    bare = join(lab.directory, 'bare');
    server = await lab.startServer('one');
    trust(lab, server);
  });

  afterEach(() => {
    agent?.kill();
    agent = undefined;
  });

  afterAll(() => lab.remove());

  function login(more: Partial<Connection>, options: Partial<ConnectorOptions> = {}): Promise<string> {
    const bareHome = { home: bare, ...options };
    // ssh -G takes ~ from the password file: without IdentityFile the tester's own keys would be tried.
    const sshArgs = `-o IdentityFile=${bare}/.ssh/none ${more.sshArgs ?? ''}`;
    const hosts = { one: connectionTo(server, { ...more, sshArgs }) };
    return withConnector(labOptions(lab, hosts, bareHome), async (connector) => {
      const transport = await connector.connect('one');
      return (await transport.run({ summary: 'try', script: 'echo in' })).stdout;
    });
  }

  const goodKey = (): string => join(lab.home, '.ssh/id_ed25519');

  /** A copy of the good key, rewritten by ssh-keygen. */
  function rewritten(name: string, ...options: readonly string[]): string {
    const file = join(lab.directory, name);
    execFileSync('cp', [goodKey(), file]);
    execFileSync('ssh-keygen', ['-q', '-p', '-f', file, ...options]);
    return file;
  }

  async function startAgent(...keys: readonly string[]): Promise<string> {
    const socket = join(lab.directory, 'agent');
    rmSync(socket, { force: true });
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    while (!existsSync(socket)) await pause(10);
    for (const key of keys) execFileSync('ssh-add', [key], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    return socket;
  }

  const otherKey = (name: string): string => {
    const file = join(lab.directory, name);
    makeKey(file, '-t', 'ed25519');
    return file;
  };

  test('with the key that the inventory names', async () => {
    expect(await login({ privateKeyFile: goodKey() })).toBe('in\n');
  });

  test('with the key of the ssh configuration', async () => {
    expect(await login({ sshArgs: `-o IdentityFile=${goodKey()}` })).toBe('in\n');
  });

  test('with a key of the agent', async () => {
    const socket = await startAgent(goodKey());
    expect(await login({}, { env: { PATH: process.env['PATH'], SSH_AUTH_SOCK: socket } })).toBe('in\n');
  });

  test('with IdentityAgent of the ssh configuration', async () => {
    const socket = await startAgent(goodKey());
    expect(await login({ sshArgs: `-o IdentityAgent=${socket}` })).toBe('in\n');
  });

  test('a dead agent does not keep other keys from being tried', async () => {
    const env = { PATH: process.env['PATH'], SSH_AUTH_SOCK: join(lab.directory, 'nobody') };
    expect(await login({ privateKeyFile: goodKey() }, { env })).toBe('in\n');
    await expect(login({}, { env })).rejects.toMatchObject({ message: expect.stringContaining('the agent at') });
  });

  test('with IdentitiesOnly, other keys of the agent are not offered', async () => {
    const stranger = otherKey('stranger');
    const socket = await startAgent(stranger, goodKey());
    const env = { PATH: process.env['PATH'], SSH_AUTH_SOCK: socket };
    const before = server.log().length;
    expect(await login({ sshArgs: `-o IdentitiesOnly=yes -i ${goodKey()}` }, { env })).toBe('in\n');
    expect(server.log().slice(before)).not.toContain('Failed publickey');
    await expect(login({ sshArgs: '-o IdentitiesOnly=yes' }, { env })).rejects.toMatchObject({
      code: 'authentication-refused',
    });
  });

  test('with an encrypted key whose passphrase is asked for, once for all hosts', async () => {
    const file = rewritten('asked', '-N', 'open sesame');
    const questions: string[] = [];
    const ask = async (question: string): Promise<Secret> => {
      questions.push(question);
      return new Secret('open sesame');
    };
    const connection = connectionTo(server, { privateKeyFile: file });
    await withConnector(labOptions(lab, { one: connection, two: connection }, { ask }), (connector) =>
      Promise.all([connector.connect('one'), connector.connect('two')]),
    );
    expect(questions).toEqual([`Passphrase of ${file}`]);
  });

  test('with an encrypted key whose passphrase is in the environment', async () => {
    const file = rewritten('in-environment', '-N', 'open sesame');
    const env = { PATH: process.env['PATH'], PROVISION_SSH_KEY_PASSPHRASE: 'open sesame' };
    expect(await login({ privateKeyFile: file }, { env })).toBe('in\n');
  });

  test('an encrypted key that the agent holds is not asked about', async () => {
    const file = rewritten('held', '-N', 'open sesame');
    execFileSync('cp', [`${goodKey()}.pub`, `${file}.pub`]);
    const socket = await startAgent(goodKey());
    const env = { PATH: process.env['PATH'], SSH_AUTH_SOCK: socket };
    expect(await login({ privateKeyFile: file }, { env })).toBe('in\n');
  });

  test.each([
    ['OpenSSH', []],
    ['PEM', ['-m', 'PEM']],
  ])('a wrong passphrase of a key in %s format says so, once', async (format, options) => {
    const file = join(lab.directory, `wrong-${format}`);
    makeKey(file, '-t', 'rsa', '-b', '2048', '-N', 'open sesame', ...options);
    let asked = 0;
    const ask = async (): Promise<Secret> => {
      asked += 1;
      return new Secret('wrong one');
    };
    await expect(login({ privateKeyFile: file }, { ask })).rejects.toMatchObject({
      code: 'key-unusable',
      message: `one: private key ${file}: the passphrase does not open it`,
    });
    expect(asked).toBe(1);
  });

  test('an encrypted key with nobody to ask names the ways to proceed', async () => {
    const file = rewritten('nobody-to-ask', '-N', 'open sesame');
    await expect(login({ privateKeyFile: file })).rejects.toMatchObject({
      code: 'key-unusable',
      hint: expect.stringContaining('ssh-add'),
    });
  });

  test('a PKCS#8 key is named, and the fix works', async () => {
    const file = join(lab.directory, 'pkcs8');
    const line = makeKey(file, '-t', 'rsa', '-b', '2048', '-m', 'PKCS8');
    execFileSync('sh', ['-c', `printf '%s' "$1" >> "$2"`, 'sh', line, join(lab.directory, 'authorized_keys')]);
    await expect(login({ privateKeyFile: file })).rejects.toMatchObject({
      code: 'key-unusable',
      message: `one: private key ${file}: a PKCS#8 key, which is not supported`,
      hint: `rewrite it in OpenSSH's format: ssh-keygen -p -f ${file}`,
    });
    execFileSync('ssh-keygen', ['-q', '-p', '-N', '', '-f', file]);
    expect(await login({ privateKeyFile: file })).toBe('in\n');
  });

  test('a named key that is missing, or is no key, is an error of its own', async () => {
    await expect(login({ privateKeyFile: '/nowhere/key' })).rejects.toMatchObject({
      code: 'key-unusable',
      message: 'one: private key /nowhere/key: no such file',
    });
    await expect(login({ privateKeyFile: `${goodKey()}.pub` })).rejects.toMatchObject({
      code: 'key-unusable',
      message: expect.stringContaining('not a private key'),
    });
  });

  test('a refused login is not tried again, and tells what was tried', async () => {
    const file = otherKey('refused');
    const before = server.log().length;
    await expect(login({ privateKeyFile: file, password: new Secret('canary-password') })).rejects.toMatchObject({
      code: 'authentication-refused',
      host: 'one',
      message: expect.stringMatching(`one: .* refuses the login; tried: ${file}, the password`),
      hint: expect.stringContaining('ssh -v'),
    });
    expect(
      server
        .log()
        .slice(before)
        .match(/Connection from/g),
    ).toHaveLength(1);
  });

  test('a user certificate beside the named key, which alone would open, is named', async () => {
    const [authority, file] = [otherKey('user-ca'), otherKey('certified')];
    execFileSync('ssh-keygen', [
      '-q',
      '-s',
      authority,
      '-I',
      'ops',
      '-n',
      connectionTo(server).user ?? '',
      `${file}.pub`,
    ]);
    await expect(login({ privateKeyFile: file })).rejects.toMatchObject({
      code: 'authentication-refused',
      message: expect.stringContaining(`left out: ${file}-cert.pub: this program can't present a user certificate`),
    });
  });

  test('with nothing to offer it says so', async () => {
    await expect(login({})).rejects.toMatchObject({
      message: expect.stringContaining('no key, no agent, no password'),
    });
  });
});
