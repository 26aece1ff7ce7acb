import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Connection } from '../../src/model/inventory.js';
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

if (missingSshd !== undefined) console.warn(`skipped: host keys: ${missingSshd}`);

(missingSshd === undefined ? describe : describe.skip)('host keys', () => {
  let lab: SshLab;
  let server: Server;
  let knownHosts: string;

  beforeAll(async () => {
    lab = createSshLab();
    server = await lab.startServer('one');
    knownHosts = join(lab.home, '.ssh/known_hosts');
  });

  beforeEach(() => {
    rmSync(knownHosts, { force: true });
  });

  afterAll(() => lab.remove());

  /** Connects and runs a command, as `ssh` would. */
  function connect(more: Partial<Connection> = {}, options: Partial<ConnectorOptions> = {}): Promise<string> {
    return withConnector(labOptions(lab, { one: connectionTo(server, more) }, options), async (connector) => {
      const transport = await connector.connect('one');
      return (await transport.run({ summary: 'try', script: 'echo in' })).stdout;
    });
  }

  const name = (): string => `[127.0.0.1]:${server.port}`;
  const fingerprintOf = (line: string): string =>
    execFileSync('ssh-keygen', ['-lf', '-'], { input: line, encoding: 'utf8' }).split(' ')[1] ?? '';

  test('a known key is accepted', async () => {
    trust(lab, server);
    expect(await connect()).toBe('in\n');
  });

  test('a key that ssh-keygen has hashed is accepted', async () => {
    trust(lab, server);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'ignore' });
    expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/);
    expect(await connect()).toBe('in\n');
  });

  test('an unknown key is refused, with its fingerprint, before any login', async () => {
    const before = server.log().length;
    await expect(connect()).rejects.toMatchObject({
      code: 'host-key-unknown',
      host: 'one',
      message: `one: the host key of ${name()} is not known: ssh-ed25519 ${fingerprintOf(`x ${server.hostKey}`)}`,
      hint: expect.stringContaining('--accept-new-host-keys'),
    });
    expect(server.log().slice(before)).not.toContain('publickey');
  });

  test('an accepted new key is remembered for ssh, in a file that only its owner may write', async () => {
    const notices: string[] = [];
    const accepting = { acceptNewHostKeys: true, onNotice: (_: string, text: string) => notices.push(text) };
    expect(await connect({}, accepting)).toBe('in\n');
    expect(readFileSync(knownHosts, 'utf8')).toBe(`${name()} ${server.hostKey}\n`);
    expect(statSync(knownHosts).mode & 0o777).toBe(0o600);
    expect(notices).toEqual([expect.stringContaining(`${name()} was added to ${knownHosts}`)]);
    expect(await connect()).toBe('in\n');
    expect(execFileSync('ssh-keygen', ['-F', name(), '-f', knownHosts], { encoding: 'utf8' })).toContain(
      server.hostKey,
    );
  });

  test('with HashKnownHosts the name is hashed, and ssh finds it', async () => {
    await connect({ sshArgs: '-o HashKnownHosts=yes' }, { acceptNewHostKeys: true });
    expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/);
    expect(execFileSync('ssh-keygen', ['-F', name(), '-f', knownHosts], { encoding: 'utf8' })).toContain('ssh-ed25519');
    expect(await connect()).toBe('in\n');
  });

  test('a file without a final newline keeps its last entry', async () => {
    writeFileSync(knownHosts, 'other.example ssh-ed25519 AAAA');
    await connect({}, { acceptNewHostKeys: true });
    expect(readFileSync(knownHosts, 'utf8').split('\n').slice(0, 2)).toEqual([
      'other.example ssh-ed25519 AAAA',
      `${name()} ${server.hostKey}`,
    ]);
  });

  test('StrictHostKeyChecking=no of the ssh arguments accepts new keys', async () => {
    expect(await connect({ sshArgs: '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null' })).toBe('in\n');
  });

  test('a changed key is refused, whatever else was said, with both fingerprints and the line', async () => {
    const other = makeKey(join(lab.directory, `other-${Date.now()}`), '-t', 'ed25519');
    writeFileSync(knownHosts, `# a comment\n${name()} ${other}`);
    for (const more of [{}, { sshArgs: '-o StrictHostKeyChecking=no' }]) {
      await expect(connect(more, { acceptNewHostKeys: true })).rejects.toMatchObject({
        code: 'host-key-changed',
        message: expect.stringMatching(/has changed/),
        hint: expect.stringContaining(`ssh-keygen -R '${name()}' -f ${knownHosts}`),
      });
    }
    const error: unknown = await connect().catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(fingerprintOf(`x ${server.hostKey}`));
    expect(String(error)).toContain(fingerprintOf(`x ${other}`));
    expect(String(error)).toContain(`${knownHosts}:2`);
  });

  test('the fix that is proposed works', async () => {
    const other = makeKey(join(lab.directory, `other-${Date.now()}`), '-t', 'ed25519');
    writeFileSync(knownHosts, `${name()} ${other}`);
    execFileSync('ssh-keygen', ['-R', name(), '-f', knownHosts], { stdio: 'ignore' });
    expect(await connect({}, { acceptNewHostKeys: true })).toBe('in\n');
  });

  test('a server that comes back with another key is refused', async () => {
    const moved = await lab.startServer('moved');
    trust(lab, moved);
    const again = await moved.restartWithNewHostKey();
    await expect(
      withConnector(labOptions(lab, { moved: connectionTo(again) }), (connector) => connector.connect('moved')),
    ).rejects.toMatchObject({ code: 'host-key-changed', host: 'moved' });
  });

  test('a key of a known type is asked for, though the server prefers another', async () => {
    const ecdsa = join(lab.directory, 'ecdsa');
    const line = makeKey(ecdsa, '-t', 'ecdsa');
    const two = await lab.startServer('two', `HostKey ${ecdsa}`);
    writeFileSync(knownHosts, `[127.0.0.1]:${two.port} ${line}`);
    await withConnector(labOptions(lab, { two: connectionTo(two) }), (connector) => connector.connect('two'));
  });

  test('an RSA key is accepted by the type that known_hosts calls ssh-rsa', async () => {
    const rsa = join(lab.directory, 'rsa');
    const line = makeKey(rsa, '-t', 'rsa', '-b', '2048');
    const three = await lab.startServer('three', `HostKey ${rsa}`);
    writeFileSync(knownHosts, `[127.0.0.1]:${three.port} ${line}`);
    await withConnector(labOptions(lab, { three: connectionTo(three) }), (connector) => connector.connect('three'));
  });

  test('a revoked key is refused, though it is known as well', async () => {
    trust(lab, server);
    expect(await connect()).toBe('in\n');
    appendFileSync(knownHosts, `@revoked * ${server.hostKey}\n`);
    await expect(connect({}, { acceptNewHostKeys: true })).rejects.toMatchObject({
      code: 'host-key-revoked',
      message: expect.stringContaining(`${knownHosts}:2`),
    });
  });

  test('a certificate authority vouches for nobody', async () => {
    writeFileSync(knownHosts, `@cert-authority * ${server.hostKey}\n`);
    await expect(connect()).rejects.toMatchObject({ code: 'host-key-unknown' });
  });

  test('HostKeyAlias names the entry', async () => {
    writeFileSync(knownHosts, `alias ${server.hostKey}\n`);
    expect(await connect({ sshArgs: '-o HostKeyAlias=alias' })).toBe('in\n');
  });

  test('UserKnownHostsFile of the ssh arguments is read', async () => {
    const file = join(lab.directory, 'elsewhere');
    writeFileSync(file, `${name()} ${server.hostKey}\n`);
    expect(await connect({ sshArgs: `-o UserKnownHostsFile=${file}` })).toBe('in\n');
  });
});
