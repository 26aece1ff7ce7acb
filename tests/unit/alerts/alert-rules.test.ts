import { expect, test } from '@jest/globals';
import { unscraped } from '../../../src/alerts/alert-files.js';
import { alertRules } from '../../../src/alerts/alert-rules.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleBalancer } from '../../support/sample-cluster.js';

const hostMetrics = [1, 2, 3].map((number) => ({ host: `etcd-${number}`, address: `10.0.0.${number}`, port: 9380 }));

function clusterWith(balancers: readonly string[]): Cluster {
  const apiserver = { ...SAMPLE_APISERVER, balancers: balancers.map((host) => ({ ...sampleBalancer(1), host })) };
  return { ...SAMPLE_CLUSTER, services: [SAMPLE_SERVICE, apiserver], hostMetrics };
}

/** The services of whose virtual IP an alert counts the holders. */
function counted(balancers: readonly string[]): readonly unknown[] {
  const groups = alertRules(clusterWith(balancers), 'inventory.yaml');
  return groups
    .flatMap(({ rules }) => rules)
    .filter(({ alert }) => alert === 'EtcdVirtualIpHolders')
    .map(({ labels }) => labels['service']);
}

test('holders of a virtual IP are counted only where each of its load balancers tells of it', () => {
  expect(counted(['etcd-1', 'etcd-2'])).toEqual(['etcd', 'kube-apiserver']);
  // It may be on cp-2, which nobody asks.
  expect(counted(['etcd-1', 'cp-2'])).toEqual(['etcd']);
  const said = [['etcd-1'], ['etcd-1', 'cp-2']].map((hosts) => unscraped(clusterWith(hosts)).join('\n'));
  expect(said.map((text) => text.includes('not every load balancer of kube-apiserver'))).toEqual([false, true]);
});
