import { expect, test } from '@jest/globals';
import type { Resource } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { resourcesOf } from '../../support/bare-host.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { kubernetesNetworkRole } from '../../../src/roles/kubernetes/role.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const addressesOf = (of: readonly Resource[]): readonly string[] => of.map(({ address }) => address);

function withNodes(change: (each: Cluster['kubernetes']['nodes'][number]) => object): Cluster {
  const { kubernetes } = SAMPLE_CLUSTER;
  return {
    ...SAMPLE_CLUSTER,
    kubernetes: { ...kubernetes, nodes: kubernetes.nodes.map((node) => ({ ...node, ...change(node) })) },
  };
}

test('a node is looked at, then prepared, and last of all its packages are held', () => {
  expect(addressesOf(resourcesOf('node-prepare', 'cp-1'))).toEqual([
    'node-preflight',
    'swap-off',
    'modules:/etc/modules-load.d/60-provision-kubernetes.conf',
    'sysctl:net.ipv4.ip_forward',
    'sysctl:net.bridge.bridge-nf-call-iptables',
    'sysctl:net.bridge.bridge-nf-call-ip6tables',
    'held-packages:kubelet,kubeadm,kubectl,containerd,containerd.io',
  ]);
});

test('each setting of the kernel has a file of its own', () => {
  const files = resourcesOf('node-prepare', 'cp-1').flatMap(({ address, paths }) =>
    address.startsWith('sysctl:') ? paths : [],
  );
  expect(files).toEqual(
    ['ip-forward', 'bridge-iptables', 'bridge-ip6tables'].map(
      (end) => `/etc/sysctl.d/60-provision-kubernetes-${end}.conf`,
    ),
  );
});

test('/etc/hosts names every node by its address, where that is wanted', async () => {
  const named = resourcesOf(
    'node-prepare',
    'cp-1',
    withNodes(() => ({ wantsHostsEntries: true })),
  ).find(({ address }) => address.startsWith('hosts'));
  const outcome = await named?.plan(
    fakeProbe({
      'file-contents': { '/etc/hosts': '127.0.0.1 localhost\n' },
      'file-states': { '/etc/hosts': { kind: 'file', owner: 'root', group: 'root', mode: '0644' } },
    }),
  );
  const diff = outcome?.kind === 'change' ? outcome.change.diff : [];
  expect(diff.filter((line) => line.startsWith('+10'))).toEqual(['+10.0.0.11\tcp-1', '+10.0.0.21\tworker-1']);
});

test('a node without an address can not be named there', () => {
  const cluster = withNodes(({ host }) => ({
    wantsHostsEntries: true,
    ...(host === 'worker-1' ? { address: undefined } : {}),
  }));
  expect(() => resourcesOf('node-prepare', 'cp-1', cluster)).toThrow('worker-1 has no IP address in the inventory');
  expect(resourcesOf('node-prepare', 'cp-1', SAMPLE_CLUSTER)).toHaveLength(7);
});

test('a manifest of the network that can not be read is named, with the reason', () => {
  const { kubernetes } = SAMPLE_CLUSTER;
  const settings = { ...kubernetes.settings, cniManifest: '/srv/net.yaml' };
  const readFile = (): string => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
  const make = (): unknown =>
    kubernetesNetworkRole({ readFile }).resources(namedHost('cp-1'), templateInventory(['cp-1']), {
      ...SAMPLE_CLUSTER,
      kubernetes: { ...kubernetes, settings },
    });
  expect(make).toThrow(/kube_cluster_cni_manifest: names \/srv\/net\.yaml, which cannot be read: no such file/);
});
