import { expect, test } from '@jest/globals';
import { feltOf } from '../../../src/report/plan-overview.js';

test.each([
  ['etcd-member:etcd', 'a member that restarts'],
  ['static-pod:kube-apiserver', 'a static pod that restarts'],
  ['kubelet-server', 'a kubelet restarts in seconds'],
  ['service:haproxy', 'a service that restarts or stops'],
  ['retired:haproxy', 'a service that restarts or stops'],
  ['freed-balancer:etcd', 'a service that restarts or stops'],
  ['kubernetes:drained', 'pods of a drained node'],
  ['node-upgrade:drained', 'pods of a drained node'],
  ['node-upgrade:packages', 'may restart with their packages'],
  ['node-upgrade:reboot', 'a node that reboots serves nobody for minutes'],
  ['restore:stop', 'etcd is down'],
  ['etcd-defrag:etcd-1', 'a member that is rewritten'],
  ['file:/etc/service:x', 'docs/what-clients-feel.md'],
])('what clients feel of %s', (address, felt) => {
  expect(feltOf(address)).toContain(felt);
});
