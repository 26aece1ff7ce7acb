import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { renderInventory } from '../../../src/wizard/render-inventory.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('init');
});

test('what the wizard writes is an inventory that loads, and describes the cluster that was meant', async () => {
  const file = join(directory, 'inventory.yaml');
  const text = renderInventory({
    members: [
      { name: 'etcd-1', address: '10.0.0.1' },
      { name: 'etcd-2', address: '10.0.0.2' },
      { name: 'etcd-3', address: '10.0.0.3' },
    ],
    balancer: {
      ip: '10.0.0.100',
      name: 'etcd.example.com',
      port: 2379,
      network: '10.0.0.0/24',
      hosts: [{ name: 'lb-1', address: '10.0.0.21' }],
    },
    controlPlanes: [{ name: 'cp-1', address: '10.0.0.11' }],
    sshUser: 'debian',
    privateKeyFile: '~/.ssh/id_ed25519',
    next: 'plan',
  });
  await writeFile(file, text);
  const inventory = await loadInventory(file, { provided: PROVIDED_VARIABLES });
  expect(inventory.warnings).toEqual([]);
  expect(Object.fromEntries(inventory.groups)).toMatchObject({
    etcd: ['etcd-1', 'etcd-2', 'etcd-3'],
    etcd_lb: ['lb-1'],
    kube_control_plane: ['cp-1'],
  });
  const cluster = describeCluster(inventory);
  expect(cluster.members.map(({ name, address }) => [name, address])).toEqual([
    ['etcd-1', '10.0.0.1'],
    ['etcd-2', '10.0.0.2'],
    ['etcd-3', '10.0.0.3'],
  ]);
  expect(cluster.services[0]?.endpoint).toEqual({ ip: '10.0.0.100', name: 'etcd.example.com', port: 2379 });
  expect(cluster.services[0]?.balancers.map(({ host }) => host)).toEqual(['lb-1']);
  expect(cluster.controlPlanes.map(({ host }) => host)).toEqual(['cp-1']);
  expect(inventory.hosts.get('lb-1')?.connection).toMatchObject({
    address: '10.0.0.21',
    user: 'debian',
    become: { method: 'sudo', user: 'root' },
  });
});
