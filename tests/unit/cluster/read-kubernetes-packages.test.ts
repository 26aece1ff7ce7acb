import { describe, expect, test } from '@jest/globals';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { nodeInventory, toldOf } from '../../support/node-inventory.js';

const NAMED = {
  kube_cluster_packages_repository: 'https://pkgs.k8s.io/core:/stable:/v1.30/deb/',
  kube_cluster_packages_key: 'files/Release.key',
  kube_cluster_packages_version: '1.30.4',
};

test('a repository, with a key beside the inventory', async () => {
  const { packages } = describeCluster(await nodeInventory(NAMED)).kubernetes.settings;
  expect(packages).toEqual({
    repository: NAMED.kube_cluster_packages_repository,
    suite: '/',
    components: [],
    keyFile: expect.stringMatching(/^\/.*\/files\/Release\.key$/),
    version: '1.30.4',
    containerdVersion: undefined,
  });
  const more = { kube_cluster_packages_suite: 'stable', kube_cluster_packages_components: 'main, extra' };
  expect(describeCluster(await nodeInventory({ ...NAMED, ...more })).kubernetes.settings.packages).toMatchObject({
    suite: 'stable',
    components: ['main', 'extra'],
  });
  expect(describeCluster(await nodeInventory({})).kubernetes.settings.packages).toBeUndefined();
});

describe('what is refused', () => {
  test.each([
    ['no key', { ...NAMED, kube_cluster_packages_key: undefined }, 'kube_cluster_packages_key: is not set'],
    ['no version', { ...NAMED, kube_cluster_packages_version: undefined }, 'kube_cluster_packages_version: is not set'],
    [
      'a suite without components',
      { ...NAMED, kube_cluster_packages_suite: 'stable' },
      'is not set, and the suite is stable',
    ],
    [
      'a path with components',
      { ...NAMED, kube_cluster_packages_components: '[main]' },
      'none are expected: the suite / is a path',
    ],
    [
      'a password',
      { ...NAMED, kube_cluster_packages_repository: 'https://me:secret@mirror.example/' },
      'expected an http, https or file URI without a password',
    ],
    [
      'another scheme',
      { ...NAMED, kube_cluster_packages_repository: 'ftp://mirror.example/' },
      'expected an http, https or file URI',
    ],
    [
      'a pattern in place of a version',
      { ...NAMED, kube_cluster_packages_version: '"1.30.*"' },
      'expected a version such as 1.30.4',
    ],
    ['a suite that is more than one', { ...NAMED, kube_cluster_packages_suite: 'stable testing' }, 'expected a suite'],
    [
      'a version without a repository',
      { kube_cluster_packages_version: '1.30.4' },
      'is not set: what is said of its packages has no effect',
    ],
    [
      'a key without a repository',
      { kube_cluster_packages_key: 'a.key' },
      'is not set: what is said of its packages has no effect',
    ],
    ['containerd without a repository', { kube_cluster_packages_containerd_version: '1.7.1' }, 'has no effect'],
  ])('%s', async (_, variables, problem) => {
    const given = Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const found = toldOf(await nodeInventory(given));
    expect(found).toEqual([expect.stringContaining(problem)]);
    expect(found.join()).not.toContain('secret@');
  });
});
