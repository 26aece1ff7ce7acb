import { expect, test } from '@jest/globals';
import type { Resource } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { resourcesOf } from '../../support/bare-host.js';
import { fakeProbe, fakeProbes, UNREACHABLE, watched } from '../../support/fake-probe.js';
import { kubernetesNetworkRole } from '../../../src/roles/kubernetes/role.js';
import { SAMPLE_CLUSTER, sampleNode } from '../../support/sample-cluster.js';
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

/** Two control planes, a worker, and a node that leaves. */
const TWO: Cluster = {
  ...SAMPLE_CLUSTER,
  controlPlanes: ['cp-1', 'cp-2'].flatMap((host) => SAMPLE_CLUSTER.controlPlanes.map((each) => ({ ...each, host }))),
  kubernetes: {
    ...SAMPLE_CLUSTER.kubernetes,
    nodes: [sampleNode('cp-1', 'control-plane'), sampleNode('cp-2', 'control-plane'), sampleNode('worker-1', 'worker')],
    formerNodes: [{ host: 'gone', address: '10.0.0.22' }],
    settings: { ...SAMPLE_CLUSTER.kubernetes.settings, cniManifest: '/srv/net.yaml' },
  },
};

/** Which hosts are looked at for what a role wants on one, where none of them answers. */
async function lookedAt(host: string, of: readonly Resource[]): Promise<ReadonlySet<string>> {
  const hosts = ['cp-1', 'cp-2', 'worker-1', 'gone'].map((name) => [name, UNREACHABLE] as const);
  const probe = fakeProbes(Object.fromEntries(hosts)).get(host);
  if (probe === undefined) throw new Error(`there is no host ${host}`);
  const watching = watched(probe);
  await Promise.allSettled(of.map(async (each) => each.plan(watching)));
  return new Set(watching.names);
}

test.each([
  ['kubernetes-leaving', 'gone'],
  ['kubernetes-lost-leaving', 'cp-1'],
])('%s looks at the node that leaves, and asks all control planes of it, and no worker', async (role, host) => {
  expect(await lookedAt(host, resourcesOf(role, host, TWO))).toEqual(new Set(['gone', 'cp-1', 'cp-2']));
});

test('the network of pods is made by whichever control plane serves', async () => {
  const readFile = (): string => 'apiVersion: v1\nkind: Namespace\nmetadata: {name: net}\n';
  const made = kubernetesNetworkRole({ readFile }).resources(namedHost('cp-1'), templateInventory(['cp-1']), TWO);
  expect(await lookedAt('cp-1', made)).toEqual(new Set(['cp-1', 'cp-2']));
});
