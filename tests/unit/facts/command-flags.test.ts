import { describe, expect, test } from '@jest/globals';
import { clientServersOf, serverList } from '../../../src/facts/apiserver-manifest.js';
import { flagValue, readFlags } from '../../../src/facts/command-flags.js';

describe('the flags of a command line', () => {
  test.each<[readonly string[], readonly (readonly [string, string, number, 1 | 2])[]]>([
    [
      ['p', '--a=1', '--b', '2'],
      [
        ['a', '1', 1, 1],
        ['b', '2', 2, 2],
      ],
    ],
    [['--etcd_servers', 'x'], [['etcd-servers', 'x', 0, 2]]],
    [['--a_b_c=1'], [['a-b-c', '1', 0, 1]]],
    // A switch takes no word along; the last one has none.
    [['--v', '--a=1', '--w'], [['a', '1', 1, 1]]],
    [['--v', '-x', 'y'], []],
    [['--a='], [['a', '', 0, 1]]],
    [['--a=b=c'], [['a', 'b=c', 0, 1]]],
    [['--a=one\ntwo'], [['a', 'one\ntwo', 0, 1]]],
    [['-a=1', 'x--a=1', '--a b=1', '--=1'], []],
    [['--a=1', '--', '--b=2'], [['a', '1', 0, 1]]],
    [['--', '--b=2'], []],
    [['--a', '--', '1'], []],
  ])('%j are %j', (words, flags) => {
    expect(readFlags(words).map(({ name, value, at, words: count }) => [name, value, at, count])).toEqual(flags);
  });

  test('the first counts where one is given more than once', () => {
    expect(flagValue(['--a=1', '--b=0', '--a=2'], 'a')).toBe('1');
    expect(flagValue(['--a=1'], 'b')).toBeUndefined();
  });
});

describe('the servers of a manifest', () => {
  test.each([
    ['https://a:1, https://b:2,', ['https://a:1', 'https://b:2']],
    ['', []],
    [' , ', []],
  ])('%j', (text, servers) => {
    expect(serverList(text)).toEqual(servers);
    const manifest = `spec: {containers: [{name: kube-apiserver, command: [kube-apiserver, "--etcd-servers=${text}"]}]}\n`;
    expect(clientServersOf('/m.yaml', manifest)).toEqual(servers);
  });

  test('are none where it names none', () => {
    const manifest = 'spec: {containers: [{name: kube-apiserver, command: [kube-apiserver, --secure-port=6443]}]}\n';
    expect(clientServersOf('/m.yaml', manifest)).toEqual([]);
  });
});
