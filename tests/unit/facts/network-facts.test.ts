import { expect, test } from '@jest/globals';
import { addressInUse } from '../../../src/facts/address-in-use.js';
import { hardwareAddresses } from '../../../src/facts/hardware-addresses.js';
import { ALL_ADDRESSES, hostAddresses } from '../../../src/facts/host-addresses.js';
import { listeners } from '../../../src/facts/listeners.js';
import { nameAddresses } from '../../../src/facts/name-addresses.js';
import { sourceAddress } from '../../../src/facts/source-address.js';
import { fixture } from '../../support/fixture.js';

test('addresses of a host, with a virtual IP', () => {
  const found = hostAddresses.parse(fixture('facts/host-addresses.txt'), [ALL_ADDRESSES]).get(ALL_ADDRESSES);
  expect(found).toEqual(
    expect.arrayContaining([
      { interface: 'lo', address: '::1', prefixLength: 128 },
      { interface: 'eth0', address: '198.51.100.11', prefixLength: 24 },
      { interface: 'eth0', address: '198.51.100.100', prefixLength: 32 },
    ]),
  );
});

test('the name of an interface without its other end', () => {
  const text = '2: host0@if5    inet 203.0.113.11/24 brd 203.0.113.255 scope global host0\\       valid_lft forever\n';
  expect(hostAddresses.parse(text, [ALL_ADDRESSES]).get(ALL_ADDRESSES)).toEqual([
    { interface: 'host0', address: '203.0.113.11', prefixLength: 24 },
  ]);
});

test('who listens on a port', () => {
  const found = listeners.parse(fixture('facts/listeners.txt'), ['2379', '1']);
  expect(found.get('2379')).toEqual([
    { address: '198.51.100.11', port: 2379, process: 'etcd' },
    { address: '198.51.100.100', port: 2379, process: 'haproxy' },
    { address: '127.0.0.1', port: 2379, process: 'etcd' },
  ]);
  expect(found.get('1')).toEqual([]);
});

test('a listener on all IPv6 addresses, of an unknown process', () => {
  expect(listeners.parse('LISTEN 0 4096 [::]:2379 [::]:*\n', ['2379']).get('2379')).toEqual([
    { address: '::', port: 2379, process: '' },
  ]);
});

test('the source address towards another host', () => {
  const found = sourceAddress.parse(fixture('facts/source-address.txt'), ['198.51.100.12', '192.0.2.1']);
  expect([...found.values()]).toEqual(['198.51.100.11', undefined]);
});

test('who answers for an address', () => {
  const found = addressInUse.parse(fixture('facts/address-in-use.txt'), ['198.51.100.12', '198.51.100.77']);
  expect([...found.values()]).toEqual(['6a:e7:96:d1:8d:26', undefined]);
});

test('a neighbour that is only remembered does not answer', () => {
  const text = 'A 203.0.113.100 dev eth0 lladdr 6a:e7:96:d1:8d:26 STALE\n';
  expect(addressInUse.parse(text, ['203.0.113.100']).get('203.0.113.100')).toBeUndefined();
});

test('what a name resolves to', () => {
  const found = nameAddresses.parse(fixture('facts/name-addresses.txt'), ['localhost', 'etcd.invalid']);
  expect([...found.values()]).toEqual([['::1', '127.0.0.1'], []]);
});

test('hardware addresses', () => {
  const found = hardwareAddresses.parse(fixture('facts/hardware-addresses.txt'), ['all']).get('all');
  expect(found).toEqual(['42:8f:a4:a8:70:e2', '00:00:00:00:00:00']);
});
