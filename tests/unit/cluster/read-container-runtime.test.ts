import { expect, test } from '@jest/globals';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import type { KubernetesSettings } from '../../../src/model/kubernetes.js';
import { nodeInventory, toldOf } from '../../support/node-inventory.js';

const SHA = 'AB'.repeat(32);

async function settingsWith(variables: Readonly<Record<string, string>>): Promise<KubernetesSettings> {
  return describeCluster(await nodeInventory(variables)).kubernetes.settings;
}

test('releases are read from beside the inventory, or a URL', async () => {
  const settings = await settingsWith({
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
    await settingsWith({
      kube_cluster_https_proxy: 'http://proxy:3128',
      kube_cluster_no_proxy: '[.example.com, 10.1.0.0/16]',
    }),
  ).toMatchObject({
    pullProxies: { http: undefined, https: 'http://proxy:3128', exceptions: ['.example.com', '10.1.0.0/16'] },
  });
  expect(await settingsWith({})).toMatchObject({ pullProxies: undefined, releases: {} });
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['a release without its digest', { kube_cluster_cni_release: 'cni.tgz' }, 'kube_cluster_cni_sha256: is not set'],
  [
    'a digest without a release',
    { kube_cluster_cni_sha256: SHA },
    'has no effect: kube_cluster_cni_release is not set',
  ],
  ['a password in a proxy', { kube_cluster_http_proxy: 'http://a:planted@proxy' }, 'kube_cluster_http_proxy'],
  ['a query in a URL', { kube_cluster_cni_release: 'https://a/b?token=planted' }, 'kube_cluster_cni_release'],
  ['exceptions of nothing', { kube_cluster_no_proxy: '[a]' }, 'has no effect'],
])('%s is reported', async (_, variables, text) => {
  const told = toldOf(await nodeInventory(variables)).join('\n');
  expect(told).toContain(text);
  expect(told).not.toContain('planted');
});
