import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createSettingsResolver, type Target } from '../../src/ssh/resolve-settings.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const hasSsh = existsSync('/usr/bin/ssh');
if (!hasSsh) console.warn('skipped: asking ssh: /usr/bin/ssh is missing (apt-get install openssh-client)');

/** A directory with an `ssh` that writes down how it is called, then is the real one. */
(hasSsh ? describe : describe.skip)('asking ssh', () => {
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory('settings');
    mkdirSync(join(directory, '.ssh'));
    const recorder = `#!/bin/sh\necho "$*" >> ${directory}/calls\nPATH=$REAL_PATH exec ssh "$@"\n`;
    writeFileSync(join(directory, 'ssh'), recorder);
    chmodSync(join(directory, 'ssh'), 0o755);
  });

  async function resolveAll(...targets: readonly Partial<Target>[]): Promise<readonly string[]> {
    const env = { PATH: `${directory}:/usr/bin:/bin`, REAL_PATH: process.env['PATH'] };
    const resolve = createSettingsResolver({ env, home: directory, user: 'me' });
    const all = targets.map((target) =>
      resolve({ host: 'h', address: 'a', port: undefined, user: undefined, sshArgs: undefined, ...target }),
    );
    return (await Promise.all(all)).map((settings) => `${settings.user}@${settings.hostname}:${settings.port}`);
  }

  const calls = (): readonly string[] =>
    existsSync(join(directory, 'calls')) ? readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n') : [];

  const hosts = ['a', 'b', 'c'].map((address) => ({ address, user: 'u', port: 22 }));

  test('once for all hosts, when its configuration is the same for all', async () => {
    writeFileSync(join(directory, '.ssh/config'), '# Host x\nHost *\n  ServerAliveInterval 5\n');
    expect(await resolveAll(...hosts)).toEqual(['u@a:22', 'u@b:22', 'u@c:22']);
    expect(calls()).toEqual(['-G -p 22 -l u -- a']);
  });

  test.each(['Host a\n  Port 3', 'Host *.example', 'Match user u', 'IdentityFile ~/.ssh/%h', 'Include other'])(
    'for each host, when %j may make a difference',
    async (config) => {
      writeFileSync(join(directory, '.ssh/config'), `${config}\n`);
      await resolveAll(...hosts);
      expect(calls()).toHaveLength(3);
    },
  );

  test('for each kind of arguments', async () => {
    const answers = await resolveAll(
      { address: 'a', sshArgs: '-p 3 -o User=x' },
      { address: 'b', sshArgs: '-p 3 -o User=x' },
      { address: 'c', sshArgs: '-p 3 -o User=x', user: 'own', port: 4 },
    );
    expect(answers).toEqual(['x@a:3', 'x@b:3', 'own@c:4']);
    expect(calls()).toHaveLength(2);
  });

  test('HostName of the arguments is for one host', async () => {
    expect(await resolveAll({ address: 'a', user: 'u', sshArgs: '-o HostName=real' })).toEqual(['u@real:22']);
  });
});
