import { expect, test } from '@jest/globals';
import { resourcesOf } from '../../support/bare-host.js';
import { BOTH } from '../../support/role-clusters.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

test.each([
  [
    'kube-apiserver',
    'cp-1',
    [
      'command:mkdir /etc/kubernetes/pki/etcd',
      'trust:/etc/kubernetes/pki/etcd/ca.crt',
      'certificate:/etc/kubernetes/pki/apiserver-etcd-client.crt',
      'static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml',
    ],
  ],
  [
    'kube-apiserver-files',
    'cp-1',
    [
      'command:mkdir /etc/kubernetes/pki/etcd',
      'trust:/etc/kubernetes/pki/etcd/ca.crt',
      'certificate:/etc/kubernetes/pki/apiserver-etcd-client.crt',
    ],
  ],
  ['kube-apiserver-direct', 'cp-1', ['static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml']],
  ['kube-apiserver-off-old-address', 'cp-1', ['static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml']],
  ['kubeadm-config', 'cp-1', ['config-map:kube-system/kubeadm-config']],
  ['kubeadm-config', 'cp-2', []],
])('%s gives %s its resources in this order', (role, host, addresses) => {
  expect(resourcesOf(role, host, BOTH).map(({ address }) => address)).toEqual(addresses);
});

test('who balances etcd is asked for an API server that leaves a former load balancer, not who balances API servers', () => {
  const role = 'kube-apiserver-off-former-balancers';
  const addresses = ['static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml'];
  expect(resourcesOf(role, 'cp-1', SAMPLE_CLUSTER).map(({ address }) => address)).toEqual(addresses);
  expect(resourcesOf(role, 'cp-1', { ...SAMPLE_CLUSTER, services: BOTH.services.slice(1) })).toEqual([]);
});

test('etcd that was adopted keeps its quota', () => {
  expect(resourcesOf('etcd-quota', 'etcd-1', { ...SAMPLE_CLUSTER, isManaged: false })).toEqual([]);
});
