import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { withBlock } from '../../support/page-inventory.js';

const BEFORE = `all:
  vars: {one: 1, two: 2}
  children:
    etcd: {hosts: {etcd-1: {ansible_host: 192.0.2.1}}, vars: {port: 1}}
    kube_node: {hosts: {worker-1: , worker-2: }}
`;
const [ETCD, NODES] = [
  { hosts: { 'etcd-1': { ansible_host: '192.0.2.1' } }, vars: { port: 1 } },
  { hosts: { 'worker-1': null, 'worker-2': null } },
];

test.each([
  [
    'variables',
    'two: 3\nthree: 4\n',
    { vars: { one: 1, two: 3, three: 4 }, children: { etcd: ETCD, kube_node: NODES } },
  ],
  [
    'groups: their hosts are those that it shows',
    'kube_node: {hosts: {worker-1: }}\nkube_node_former: {hosts: {worker-2: }}\n',
    {
      vars: { one: 1, two: 2 },
      children: {
        etcd: ETCD,
        kube_node: { hosts: { 'worker-1': null }, vars: {} },
        kube_node_former: { hosts: { 'worker-2': null }, vars: {} },
      },
    },
  ],
  [
    'a group of groups, and variables of one',
    'etcd_lb: {children: {etcd: }}\netcd: {vars: {port: 2}}\n',
    {
      vars: { one: 1, two: 2 },
      children: {
        etcd: { ...ETCD, vars: { port: 2 } },
        kube_node: NODES,
        etcd_lb: { children: { etcd: null }, vars: {} },
      },
    },
  ],
  [
    'a whole inventory',
    'all: {vars: {two: 3}, children: {etcd: {hosts: {etcd-2: }}}}\n',
    {
      vars: { one: 1, two: 3 },
      children: { etcd: { hosts: { 'etcd-2': null }, vars: { port: 1 } }, kube_node: NODES },
    },
  ],
])('an inventory says what a block of a page shows: %s', (_, block, all) => {
  expect(parse(withBlock(BEFORE, block))).toEqual({ all });
});
