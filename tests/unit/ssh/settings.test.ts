import { describe, expect, test } from '@jest/globals';
import { lastHop, optionsInArguments, parseOptions, settingsFrom, type Settings } from '../../../src/ssh/settings.js';

const CONTEXT = { alias: 'node', home: '/home/me', user: 'me' };
const settings = (text: string): Settings => settingsFrom(parseOptions(text), CONTEXT);

/** Shortened output of `ssh -G` of OpenSSH 9.2. */
const ANSWER = `host node
user ops
hostname node.example
port 2222
addressfamily any
hashknownhosts yes
identitiesonly no
stricthostkeychecking ask
connecttimeout none
identityfile ~/.ssh/id_rsa
identityfile ~/.ssh/id_ed25519
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /home/me/.ssh/known_hosts /home/me/.ssh/known_hosts2
proxycommand ssh -W %h:%p -q bastion
`;

test('reads what ssh -G prints', () => {
  expect(settings(ANSWER)).toEqual({
    alias: 'node',
    hostname: 'node.example',
    port: 2222,
    user: 'ops',
    identityFiles: ['/home/me/.ssh/id_rsa', '/home/me/.ssh/id_ed25519'],
    identitiesOnly: false,
    identityAgent: undefined,
    userKnownHostsFiles: ['/home/me/.ssh/known_hosts', '/home/me/.ssh/known_hosts2'],
    globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
    hostKeyAlias: undefined,
    acceptsNewKeys: false,
    hashKnownHosts: true,
    proxyJump: undefined,
    proxyCommand: { template: 'ssh -W %h:%p -q bastion', expanded: 'ssh -W node.example:2222 -q bastion' },
    connectTimeoutMs: undefined,
  });
});

test('fills gaps with what ssh would do', () => {
  expect(settings('')).toMatchObject({
    hostname: 'node',
    port: 22,
    user: 'me',
    identityFiles: ['/home/me/.ssh/id_rsa', '/home/me/.ssh/id_ecdsa', '/home/me/.ssh/id_ed25519'],
    userKnownHostsFiles: ['/home/me/.ssh/known_hosts', '/home/me/.ssh/known_hosts2'],
  });
});

test.each([
  ['accept-new', true],
  ['no', true],
  ['off', true],
  ['yes', false],
  ['ask', false],
])('StrictHostKeyChecking %s: new keys accepted %s', (value, accepts) => {
  expect(settings(`StrictHostKeyChecking ${value}`).acceptsNewKeys).toBe(accepts);
});

test('none turns a proxy off', () => {
  expect(settings('proxyjump none\nproxycommand none')).toMatchObject({
    proxyJump: undefined,
    proxyCommand: undefined,
  });
});

test('tokens are filled in', () => {
  expect(settings('IdentityFile %d/.ssh/%r@%h%%\nHostKeyAlias %n-x\nIdentityAgent ~/%u.sock')).toMatchObject({
    identityFiles: ['/home/me/.ssh/me@node%'],
    hostKeyAlias: 'node-x',
    identityAgent: '/home/me/me.sock',
  });
  // One that nobody knows stays.
  expect(settings('IdentityFile /x/%q/%h').identityFiles).toEqual(['/x/%q/node']);
});

test('seconds become milliseconds', () => {
  expect(settings('ConnectTimeout 7').connectTimeoutMs).toBe(7000);
});

describe('without an ssh program', () => {
  const read = (...words: readonly string[]): Settings => settings(optionsInArguments(words));

  test('its arguments are understood', () => {
    expect(
      read('-4C', '-p', '2222', '-luser', '-J', 'a,b', '-i', '~/key', '-oUserKnownHostsFile=/dev/null'),
    ).toMatchObject({
      port: 2222,
      user: 'user',
      proxyJump: 'a,b',
      identityFiles: ['/home/me/key'],
      userKnownHostsFiles: ['/dev/null'],
    });
  });

  test('the first value of an option counts', () => {
    expect(read('-p', '1', '-o', 'Port=2', '-o', 'StrictHostKeyChecking no')).toMatchObject({
      port: 1,
      acceptsNewKeys: true,
    });
  });

  test('a flag takes no word', () => {
    expect(read('-4', '-p', '2222').port).toBe(2222);
    expect(read('word', '-p', '2222').port).toBe(2222);
  });

  test('a letter without its word has none', () => {
    expect([optionsInArguments(['-l']), optionsInArguments(['-o'])]).toEqual(['user ', '']);
  });

  test('what is unknown takes its word along', () => {
    expect(read('-F', '-p', '-p', '3').port).toBe(3);
  });
});

test.each([
  ['bastion', { address: 'bastion', port: undefined, user: undefined }, undefined],
  ['me@bastion:2222', { address: 'bastion', port: 2222, user: 'me' }, undefined],
  ['first,me@second', { address: 'second', port: undefined, user: 'me' }, 'first'],
  ['a,b,c:1', { address: 'c', port: 1, user: undefined }, 'a,b'],
  ['ssh://me@bastion:22', { address: 'bastion', port: 22, user: 'me' }, undefined],
  ['[2001:db8::1]:22', { address: '2001:db8::1', port: 22, user: undefined }, undefined],
  ['2001:db8::1', { address: '2001:db8::1', port: undefined, user: undefined }, undefined],
])('the last hop of %s', (list, hop, before) => {
  expect(lastHop(list)).toEqual({ hop, before });
});
