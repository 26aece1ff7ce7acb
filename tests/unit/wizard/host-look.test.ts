import { expect, test } from '@jest/globals';
import { freeCandidates, networkOf, remarksOn, type SeenHost } from '../../../src/wizard/host-look.js';

const HOST = { name: 'etcd-1', address: '10.0.0.1' };

const SEEN: SeenHost = {
  outline: { system: 'Debian', hasApt: true, hasSystemd: true, memoryMib: 2048, diskMib: 20480 },
  addresses: [
    { interface: 'lo', address: '127.0.0.1', prefixLength: 8 },
    { interface: 'eth0', address: '10.0.0.1', prefixLength: 24 },
  ],
  listeners: [],
  stacked: undefined,
  skewMs: 0,
};

test('a host as it should be needs no remark', () => {
  expect(remarksOn(HOST, SEEN, 60_000)).toEqual([]);
});

test.each<[Partial<SeenHost>, string]>([
  [{ outline: { ...SEEN.outline, hasApt: false } }, 'it has no apt-get'],
  [{ outline: { ...SEEN.outline, hasSystemd: false } }, 'systemd does not run there'],
  [{ outline: { ...SEEN.outline, diskMib: 100 } }, 'only 100 MiB are free in /var/lib'],
  [{ outline: { ...SEEN.outline, memoryMib: 100 } }, 'only 100 MiB of memory are free'],
  [{ skewMs: -600_000 }, 'its clock is 10 minutes behind'],
  [{ skewMs: 600_000 }, 'its clock is 10 minutes ahead'],
  [{ addresses: SEEN.addresses.slice(0, 1) }, '10.0.0.1 is on no interface of it'],
  [{ listeners: [{ address: '*', port: 2379, process: 'etcd' }] }, 'etcd listens on port 2379 already'],
])('says now what would be refused later: %j', (what, said) => {
  expect(remarksOn(HOST, { ...SEEN, ...what }, 60_000)).toEqual([expect.stringContaining(`etcd-1: ${said}`)]);
});

test.each([
  ['10.0.0.77', 24, '10.0.0.0/24'],
  ['192.168.77.130', 25, '192.168.77.128/25'],
  ['172.31.255.4', 12, '172.16.0.0/12'],
  ['10.0.0.1', 32, undefined],
])('the network of %s/%d is %s', (address, prefixLength, network) => {
  const host = { ...SEEN, addresses: [{ interface: 'eth0', address, prefixLength }] };
  expect(networkOf([{ name: 'a', address }], new Map([['a', { kind: 'seen', host }]]))).toBe(network);
});

test.each([
  ['10.0.0.0/24', ['10.0.0.249'], ['10.0.0.250', '10.0.0.248', '10.0.0.247', '10.0.0.246']],
  ['10.0.0.8/29', ['10.0.0.9'], ['10.0.0.10']],
  ['10.0.0.0/30', [], []],
])('candidates of %s', (network, taken, candidates) => {
  expect(freeCandidates(network, taken)).toEqual(candidates);
});
