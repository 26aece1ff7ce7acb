import { expect, test } from '@jest/globals';
import { resourcesOf } from '../../support/bare-host.js';
import { BOTH } from '../../support/role-clusters.js';

test.each([
  ['pki', 'etcd-1', ['authority:etcd']],
  ['pki', 'etcd-2', []],
])('%s gives %s its resources in this order', (role, host, addresses) => {
  expect(resourcesOf(role, host, BOTH).map(({ address }) => address)).toEqual(addresses);
});
