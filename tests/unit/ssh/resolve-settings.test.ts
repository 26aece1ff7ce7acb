// What ssh is asked, and what is made of its answer; with an `ssh` that a test writes, or none.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createSettingsResolver, type ResolveSettings, type Target } from '../../../src/ssh/resolve-settings.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let home: string;
beforeEach(() => {
  home = temporaryDirectory('resolve');
  mkdirSync(join(home, '.ssh'));
});

/** @param script of the `ssh` that is found, in `sh`; without one there is none */
function resolver(script?: string, env: Readonly<Record<string, string>> = {}): ResolveSettings {
  const program = join(home, 'bin', 'ssh');
  mkdirSync(join(home, 'bin'), { recursive: true });
  if (script !== undefined) writeFileSync(program, `#!/bin/sh\necho "$*" >>${home}/calls\n${script}\n`);
  if (script !== undefined) chmodSync(program, 0o755);
  return createSettingsResolver({ env: { PATH: `${home}/bin`, ...env }, home, user: 'me' }, join(home, 'system'));
}

const target = (more: Partial<Target> = {}): Target => ({
  ...{ host: 'etcd-1', address: 'node', port: undefined, user: undefined, sshArgs: undefined },
  ...more,
});
const calls = (): readonly string[] =>
  existsSync(join(home, 'calls')) ? readFileSync(join(home, 'calls'), 'utf8').trim().split('\n') : [];
/** What `ssh -G` says of the last word of its arguments. */
const ECHO = 'for last; do :; done; echo "hostname $last.example"; echo "user ops"; echo "port 2222"';

describe('ssh is asked', () => {
  test.each<[string, Partial<Target>, string]>([
    ['of the address alone', {}, '-G -- node'],
    [
      'first by what the inventory has decided',
      { port: 22, user: 'u', sshArgs: '-p 3 -o "A b"' },
      '-G -p 22 -l u -p 3 -o A b -- node',
    ],
  ])('%s', async (_, more, call) => {
    await resolver(ECHO)(target(more));
    expect(calls()).toEqual([call]);
  });

  test('and what it says holds', async () => {
    writeFileSync(join(home, '.ssh/config'), 'Host node\n  HostName x\n');
    expect(await resolver(ECHO)(target())).toMatchObject({
      alias: 'node',
      hostname: 'node.example',
      user: 'ops',
      port: 2222,
    });
  });

  // [the configuration, whether two hosts may get two answers]
  test.each([
    ['', false],
    ['# Host x\n# Match y\n#  IdentityFile %h', false],
    ['Host *\n  ServerAliveInterval 5', false],
    ['Host "*"\nHost = *\n host\t*', false],
    ['Include SYSTEM.d/*.conf', false],
    ['Include SYSTEM.d/*.conf\nInclude SYSTEM.d/*.conf', false],
    ['Include SYSTEM.d/*.cfg', true],
    ['Include other', true],
    ['Host a', true],
    ['host=a', true],
    ['Host * !a', true],
    ['  Match all', true],
    ['HOSTNAME %h.example', true],
    ['CanonicalizeHostname yes', true],
    ['IdentityFile ~/.ssh/%n', true],
    ['Host *\n  User x\nHost b', true],
  ])('for each host where %j may tell them apart: %s', async (config, isAsked) => {
    writeFileSync(join(home, '.ssh/config'), `${config.replaceAll('SYSTEM', join(home, 'system'))}\n`);
    const resolve = resolver(ECHO);
    const found = [];
    for (const address of ['a', 'b', 'a']) found.push((await resolve(target({ address }))).hostname);
    expect(found).toEqual(isAsked ? ['a.example', 'b.example', 'a.example'] : ['a', 'b', 'a']);
    expect(calls()).toHaveLength(isAsked ? 2 : 1);
  });

  test.each(['system', 'system.d/10-ours.conf', 'system.d/20-theirs.conf'])(
    'for each host, also by the file %s',
    async (file) => {
      mkdirSync(join(home, 'system.d'));
      for (const name of ['system', 'system.d/10-ours.conf', 'system.d/20-theirs.conf'])
        writeFileSync(join(home, name), name === file ? 'Host a\n' : 'Host *\n');
      const resolve = resolver(ECHO);
      for (const address of ['a', 'b']) await resolve(target({ address }));
      expect(calls()).toHaveLength(2);
    },
  );

  test.each([
    ['-F /other', true],
    ['-F/other', true],
    ['-o HostName=x', true],
    ['-o IdentityFile=~/%h', true],
    ['-p 3', false],
    ['-o X-File=-F', false],
  ])('for each host with the arguments %s: %s', async (sshArgs, isAsked) => {
    const resolve = resolver(ECHO);
    for (const address of ['a', 'b']) await resolve(target({ address, sshArgs }));
    expect(calls()).toHaveLength(isAsked ? 2 : 1);
  });

  test('by a few processes at a time, each without our secrets', async () => {
    writeFileSync(join(home, '.ssh/config'), 'Match all\n');
    const count = `n=$(/bin/ls ${home}/now | /usr/bin/wc -l); echo "$n" >>${home}/at-once`;
    mkdirSync(join(home, 'now'));
    const resolve = resolver(
      `: >${home}/now/$$; ${count}; /bin/sleep 0.05; /bin/rm ${home}/now/$$; echo "user [$PROVISION_X$OTHER]"`,
      { PROVISION_X: 'planted', OTHER: 'seen' },
    );
    const found = await Promise.all(
      Array.from({ length: 12 }, (_, index) => resolve(target({ address: `n${index}` }))),
    );
    expect(new Set(found.map(({ user }) => user))).toEqual(new Set(['[seen]']));
    const atOnce = readFileSync(join(home, 'at-once'), 'utf8').trim().split('\n').map(Number);
    expect(atOnce).toHaveLength(12);
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(4);
  });
});

describe('without ssh', () => {
  test('its arguments are read here, the inventory’s word first', async () => {
    const resolve = resolver();
    expect(await resolve(target({ port: 22, user: 'u', sshArgs: '-p 3 -i /key -J a,b' }))).toMatchObject({
      ...{ alias: 'node', hostname: 'node', port: 22, user: 'u' },
      ...{ identityFiles: ['/key'], proxyJump: 'a,b' },
    });
    expect(await resolve(target({ sshArgs: '-p 3' }))).toMatchObject({ port: 3, user: 'me' });
  });
});

describe('what cannot be meant', () => {
  test.each([
    ['what ssh says', 'echo " command-line: bad option " >&2; exit 255', ': command-line: bad option'],
    ['that it failed, where it says nothing', 'echo " " >&2; exit 3', ': Command failed: ssh -G -o X -- node'],
  ])('is refused with %s', async (_, script, message) => {
    const refused = resolver(script)(target({ sshArgs: '-o X' }));
    await expect(refused).rejects.toMatchObject({
      code: 'ssh-config-invalid',
      host: 'etcd-1',
      message: expect.stringMatching(RegExp(`ansible_ssh_common_args${message}\\s*$`)) as unknown,
      hint: expect.stringContaining('ssh -G -o X node') as unknown,
      cause: expect.anything() as unknown,
    });
  });

  test('is a quote without its end', async () => {
    await expect(resolver(ECHO)(target({ sshArgs: '-o "X' }))).rejects.toMatchObject({ code: 'ssh-config-invalid' });
    expect(calls()).toEqual([]);
  });

  test.each<[string, Partial<Target>, string, number]>([
    ['an address', { address: '$(x)' }, ECHO, 0],
    ['a user', { user: 'a;b' }, ECHO, 0],
    ['an address that ssh found', {}, 'echo "hostname -oX"', 1],
    ['a user that ssh found', {}, `echo 'user a|b'`, 1],
  ])('is %s that a shell could run', async (_, more, script, asked) => {
    writeFileSync(join(home, '.ssh/config'), 'Match all\n');
    const refused = resolver(script)(target(more));
    await expect(refused).rejects.toMatchObject({
      code: 'ssh-config-invalid',
      message: expect.stringContaining('a shell could run') as unknown,
    });
    expect(calls()).toHaveLength(asked);
  });
});
