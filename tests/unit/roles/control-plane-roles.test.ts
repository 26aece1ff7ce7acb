import { expect, test } from '@jest/globals';
import { resourcesOf } from '../../support/bare-host.js';
import { BOTH } from '../../support/role-clusters.js';

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
