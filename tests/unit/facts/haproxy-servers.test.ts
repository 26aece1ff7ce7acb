import { expect, test } from '@jest/globals';
import { haproxyServers } from '../../../src/facts/haproxy-servers.js';
import { fixture } from '../../support/fixture.js';

test.each(['2.6', '3.0'])('reads the statistics of HAProxy %s', (version) => {
  const found = haproxyServers.parse(fixture(`facts/haproxy-servers-${version}.txt`), ['23790']).get('23790');
  expect(found).toEqual(['etcd-1', 'etcd-2', 'etcd-3'].map((name) => ({ name, status: 'UP', check: 'L7OK' })));
});

test('a silent HAProxy is no empty one', () => {
  expect(haproxyServers.parse('N\n\n', ['23790']).get('23790')).toBeUndefined();
});
