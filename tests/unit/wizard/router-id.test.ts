import { describe, expect, test } from '@jest/globals';
import type { SeenRouterId } from '../../../src/wizard/host-look.js';
import { checkRouterId, pickVirtualIp, proposeRouterId, whatWasHeard } from '../../../src/wizard/router-id.js';

const HEARD: SeenRouterId = { id: 100, sender: '10.0.0.9', addresses: ['10.0.0.50'], host: 'etcd-1' };
const KEPT: SeenRouterId = { id: 101, addresses: [], host: 'etcd-2' };

describe('the router id of a virtual IP', () => {
  test.each<[string, readonly SeenRouterId[], string, number]>([
    ['is its last byte', [], '10.0.0.100', 100],
    ['is the next one that nobody uses', [HEARD, KEPT], '10.0.0.100', 102],
    ['is that of the group that has it, whatever its last byte', [HEARD], '10.0.0.50', 100],
    [
      'is another one where a second group has the id of its own',
      [HEARD, { ...HEARD, addresses: ['10.0.0.7'] }],
      '10.0.0.50',
      101,
    ],
    ['goes round at the end', [255, 1].map((id) => ({ ...HEARD, id })), '10.0.0.255', 2],
    ['of an IPv6 address is no concern of groups of IPv4', [HEARD], 'fd00::64', 100],
    [
      'is its last byte where all are used',
      Array.from({ length: 255 }, (_, id) => ({ ...HEARD, id: id + 1 })),
      '10.0.0.7',
      7,
    ],
  ])('%s', (_, used, ip, id) => {
    expect(proposeRouterId(ip, used)).toBe(id);
  });

  test.each<[string, string, true | string]>([
    ['7', '10.0.0.100', true],
    ['100', '10.0.0.100', '100 is used already: by 10.0.0.9 for 10.0.0.50, heard on etcd-1'],
    ['100', '10.0.0.50', true],
    ['100', 'fd00::64', true],
    ['101', '10.0.0.100', '101 is used already: by keepalived on etcd-2'],
    ['0', '10.0.0.100', '"0" is not a virtual router id; expected 1 to 255'],
    ['256', '10.0.0.100', '"256" is not a virtual router id; expected 1 to 255'],
    ['1e2', '10.0.0.100', '"1e2" is not a virtual router id; expected 1 to 255'],
  ])('%s for %s: %s', (id, ip, expected) => {
    expect(checkRouterId(id, ip, [HEARD, KEPT])).toBe(expected);
  });
});

test('an address is proposed whose last byte no other group has, where there is one', () => {
  const free = ['10.0.0.100', '10.0.0.101', '10.0.0.99'];
  expect(pickVirtualIp({ free, usedIds: [HEARD, KEPT] })).toBe('10.0.0.99');
  expect(pickVirtualIp({ free: free.slice(0, 2), usedIds: [HEARD, KEPT] })).toBe('10.0.0.100');
  expect(pickVirtualIp({ free: [], usedIds: [] })).toBeUndefined();
});

test('what was not asked is said beside what was heard', () => {
  const twice = [HEARD, { ...HEARD, host: 'etcd-2' }];
  const deafOnes = "one that sends to its own peers alone can't be heard by others";
  expect(whatWasHeard({ listened: ['etcd-1', 'etcd-2'], usedIds: twice })).toEqual([
    'virtual router id 100 is used by 10.0.0.9 for 10.0.0.50, heard on etcd-2',
    `no other VRRP group was heard within 3 s on etcd-1, etcd-2; ${deafOnes}`,
  ]);
  expect(whatWasHeard({ listened: ['etcd-1'], usedIds: [] })).toEqual([
    `no VRRP group was heard within 3 s on etcd-1; ${deafOnes}`,
  ]);
  expect(whatWasHeard({ listened: [], usedIds: [KEPT] })).toEqual([
    'virtual router id 101 is used by keepalived on etcd-2',
    '! no host could listen for VRRP: whether others use a router id, `provision verify INVENTORY` says once keepalived runs',
  ]);
});
