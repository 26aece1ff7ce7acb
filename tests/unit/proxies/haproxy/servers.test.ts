import { expect, test } from '@jest/globals';
import { haproxyServers, serversKey } from '../../../../src/proxies/haproxy/servers.js';
import { fixture } from '../../../support/fixture.js';

const KEY = serversKey(23790, 'etcd');

test.each(['2.6', '3.0'])('reads the statistics of HAProxy %s', (version) => {
  const found = haproxyServers.parse(fixture(`facts/haproxy-servers-${version}.txt`), [KEY]).get(KEY);
  expect(found).toEqual(['etcd-1', 'etcd-2', 'etcd-3'].map((name) => ({ name, status: 'UP', check: 'L7OK' })));
});

test('a silent HAProxy is no empty one', () => {
  expect(haproxyServers.parse('N\n\n', [KEY]).get(KEY)).toBeUndefined();
});
