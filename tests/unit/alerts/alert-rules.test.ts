import { describe, expect, test } from '@jest/globals';
import { targetGroups, unscraped } from '../../../src/alerts/alert-files.js';
import { alertRules } from '../../../src/alerts/alert-rules.js';
import { clusterLabel } from '../../../src/alerts/cluster-label.js';
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

describe('the label of a cluster', () => {
  const members = SAMPLE_CLUSTER.members.map((member) => ({
    ...member,
    metrics: { address: member.address, port: 2381 },
  }));
  const ofName = (token: string): Cluster => ({ ...clusterWith(['etcd-1']), members, token });

  test('is its name, and with the name that most have the place where clients reach it', () => {
    expect(clusterLabel(ofName('prod'))).toBe('prod');
    expect(clusterLabel(ofName('etcd-cluster'))).toBe(`etcd-cluster at ${SAMPLE_SERVICE.endpoint.ip}`);
    for (const sorted of [members, members.toReversed()])
      expect(clusterLabel({ ...ofName('etcd-cluster'), members: sorted, services: [] })).toBe(
        'etcd-cluster at 10.0.0.1',
      );
  });

  test.each(['prod', 'etcd-cluster'])(
    'of the name %s is that of its figures, in each rule and of each target',
    (token) => {
      const cluster = ofName(token);
      const label = clusterLabel(cluster);
      const groups = alertRules(cluster, 'inventory.yaml');
      expect(groups.map(({ name }) => name.split(' of ')[1])).toEqual(groups.map(() => label));
      const rules = groups.flatMap((group) => group.rules);
      expect(new Set(rules.map(({ labels }) => labels['cluster']))).toEqual(new Set([label]));
      const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/cluster="([^"]*)"/g)].map(([, name]) => name));
      expect(new Set(asked)).toEqual(new Set([label]));
      expect(new Set(targetGroups(cluster).map(({ labels }) => labels.cluster))).toEqual(new Set([label]));
      expect(targetGroups(cluster)).toHaveLength(6);
    },
  );
});
