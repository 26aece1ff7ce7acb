import { describe, expect, test } from '@jest/globals';
import { expandHostPattern, parseAddress } from '../../../src/ansible/host-ranges.js';
import { loadFiles } from '../../support/write-inventory.js';

describe('expandHostPattern', () => {
  test.each([
    ['etcd-[1:3]', ['etcd-1', 'etcd-2', 'etcd-3'], undefined],
    ['n[01:10:3].x', ['n01.x', 'n04.x', 'n07.x', 'n10.x'], undefined],
    ['[a:c]', ['a', 'b', 'c'], undefined],
    ['x[:2]', ['x0', 'x1', 'x2'], undefined],
    ['r[1:2]-[a:b]:2222', ['r1-a', 'r1-b', 'r2-a', 'r2-b'], 2222],
    ['host:22', ['host'], 22],
    ['[2001:db8::1]:22', ['2001:db8::1'], 22],
    ['2001:db8::1', ['2001:db8::1'], undefined],
    ['x[3:1]', [], undefined],
  ])('%s', (pattern, names, port) => {
    expect(expandHostPattern(pattern)).toStrictEqual({ names, port });
  });

  test.each([
    ['x[1:]', 'no end'],
    ['x[1]', 'begin:end'],
    ['x[c:a]', 'begin comes after end'],
    ['x[01:100]', 'same number of digits'],
    ['x[1:9:0]', 'step'],
    ['x[a:5]', "'[a:5]': 'a' is neither a letter nor a whole number"],
    ['x[1:3', "without its ']'"],
    ['x[0:9999]-[0:9999]', 'more than 10000 hosts'],
  ])('%s is refused', (pattern, message) => {
    expect(() => expandHostPattern(pattern)).toThrow(message);
  });
});

describe('parseAddress', () => {
  test.each(['a:b', 'etcd:!x', 'a b', '-x', 'x-', '', '*'])('%s is no host', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

test.each([
  ['hosts.yaml', 'all: { hosts: { "etcd-[3:1]": {}, a: {} } }\n', 1],
  ['hosts.ini', '[etcd]\na\netcd-[3:1] x=y\n', 3],
])(
  'a range of %s that counts down is no host, as in Ansible, and is warned of with its place',
  async (name, text, line) => {
    const inventory = await loadFiles({ [name]: text });
    expect([...inventory.hosts.keys()]).toEqual(['a']);
    expect(inventory.warnings).toEqual([
      {
        severity: 'warning',
        at: expect.objectContaining({ line }),
        subject: 'etcd-[3:1]',
        message: 'names no host: a range begins at its smaller end',
      },
    ]);
  },
);

test('an inventory without a host says what of it was passed over, and none of its words', async () => {
  await expect(
    loadFiles({ 'hosts.yaml': 'planted:\n  - a\nall: { hosts: { "x[3:1]": {} } }\n' }),
  ).rejects.toMatchObject({
    code: 'inventory-empty',
    message: expect.stringMatching(
      /hosts\.yaml: the inventory contains no host\n[^\n]*hosts\.yaml:1:1: is not a group: expected a mapping with hosts, children or vars; skipped\n[^\n]*hosts\.yaml:3:17: names no host: /,
    ),
  });
  await expect(loadFiles({ 'hosts.yaml': 'planted: x\n' })).rejects.not.toThrow(/planted/);
});
