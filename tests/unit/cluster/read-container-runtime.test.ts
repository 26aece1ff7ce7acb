import { expect, test } from '@jest/globals';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { formatProblem, InputError } from '../../../src/model/errors.js';
import type { KubernetesSettings } from '../../../src/model/kubernetes.js';
import { loadFiles } from '../../support/write-inventory.js';

const HOSTS = `  hosts:
    etcd-1: { ansible_host: 10.0.0.1 }
    etcd-2: { ansible_host: 10.0.0.2 }
    etcd-3: { ansible_host: 10.0.0.3 }
    cp-1: { ansible_host: 10.0.0.11 }
  children:
    etcd: { hosts: { etcd-1: , etcd-2: , etcd-3: } }
    kube_control_plane: { hosts: { cp-1: } }
`;
const SHA = 'AB'.repeat(32);

async function read(variables: Readonly<Record<string, string>>): Promise<KubernetesSettings | readonly string[]> {
  const lines = Object.entries(variables).map(([name, value]) => `    ${name}: ${value}\n`);
  const inventory = await loadFiles({
    'hosts.yaml': `all:\n  vars:\n    etcd_lb_enabled: false\n${lines.join('')}${HOSTS}`,
  });
  try {
    const { settings } = describeCluster(inventory).kubernetes;
    const warnings = clusterWarnings(inventory).map(({ subject, message }) => `${subject} ${message}`);
    return warnings.length > 0 ? warnings : settings;
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(formatProblem);
    throw error;
  }
}

test('releases are read from beside the inventory, or a URL', async () => {
  const settings = await read({
    kube_cluster_containerd_release: 'files/containerd.tar.gz',
    kube_cluster_containerd_sha256: SHA,
    kube_cluster_runc_release: 'https://mirror.example/runc.amd64',
    kube_cluster_runc_sha256: SHA,
  });
  expect(settings).toMatchObject({
    releases: {
      containerd: {
        source: expect.stringMatching(/^\/.*\/files\/containerd\.tar\.gz$/) as unknown,
        sha256: SHA.toLowerCase(),
      },
      runc: { source: 'https://mirror.example/runc.amd64' },
    },
  });
});

test('proxies, with what is asked without them', async () => {
  expect(
    await read({ kube_cluster_https_proxy: 'http://proxy:3128', kube_cluster_no_proxy: '[.example.com, 10.1.0.0/16]' }),
  ).toMatchObject({
    pullProxies: { http: undefined, https: 'http://proxy:3128', exceptions: ['.example.com', '10.1.0.0/16'] },
  });
  expect(await read({})).toMatchObject({ pullProxies: undefined, releases: {} });
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['a release without its digest', { kube_cluster_cni_release: 'cni.tgz' }, 'kube_cluster_cni_sha256'],
  [
    'a digest without a release',
    { kube_cluster_cni_sha256: SHA },
    'has no effect: kube_cluster_cni_release is not set',
  ],
  ['a password in a proxy', { kube_cluster_http_proxy: 'http://a:planted@proxy' }, 'kube_cluster_http_proxy'],
  ['a query in a URL', { kube_cluster_cni_release: 'https://a/b?token=planted' }, 'kube_cluster_cni_release'],
  ['exceptions of nothing', { kube_cluster_no_proxy: '[a]' }, 'has no effect'],
])('%s is reported', async (_, variables, text) => {
  const told = await read(variables);
  expect(Array.isArray(told) ? told.join('\n') : 'nothing was reported').toContain(text);
});
