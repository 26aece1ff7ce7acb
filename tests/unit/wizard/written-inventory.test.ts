import { mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { offeredExtras } from '../../../src/wizard/ask-extras.js';
import type { InventoryAnswers } from '../../../src/wizard/inventory-answers.js';
import type { Inventory } from '../../../src/model/inventory.js';
import { renderInventory } from '../../../src/wizard/render-inventory.js';
import { OWN_BALANCER, USUAL_ANSWERS } from '../../support/wizard-answers.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('init');
});

async function written(answers: InventoryAnswers): Promise<Inventory> {
  const file = join(directory, 'inventory.yaml');
  await writeFile(file, renderInventory(answers));
  const inventory = await loadInventory(file, { provided: PROVIDED_VARIABLES });
  expect(inventory.warnings).toEqual([]);
  return inventory;
}

test('what the wizard writes is an inventory that loads, and describes the cluster that was meant', async () => {
  const inventory = await written(USUAL_ANSWERS);
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

test('a stacked etcd that moves has its control planes as members that leave, each of them once', async () => {
  const [moving] = USUAL_ANSWERS.controlPlanes;
  if (moving === undefined) throw new Error('there is no control plane');
  const extras = offeredExtras({ balancer: OWN_BALANCER, apiserverIp: undefined, next: 'unstack' });
  const answers = { ...USUAL_ANSWERS, leaving: [moving], extras, next: 'unstack' } as const;
  const cluster = describeCluster(await written(answers));
  expect(extras).toEqual(['snapshots', 'fastFailover']);
  expect(cluster.members.map(({ host }) => host)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  expect(cluster.formerMembers.map(({ host, address }) => [host, address])).toEqual([['cp-1', '10.0.0.11']]);
  expect(cluster.controlPlanes.map(({ host }) => host)).toEqual(['cp-1']);
  const text = renderInventory(answers);
  for (const comment of [
    '# The new members: each joins the running cluster',
    '# The stacked members: each leaves once',
  ])
    expect(text).toContain(comment);
});

test('API servers that are to move later stay as they are', async () => {
  const { controlPlanes } = describeCluster(await written({ ...USUAL_ANSWERS, repoint: 'later' }));
  expect(controlPlanes.map(({ repoint }) => repoint)).toEqual(['on-demand']);
});

const WAYS = {
  haproxy: ['haproxy', 'passthrough'],
  nginx: ['nginx', 'passthrough'],
  terminate: ['haproxy', 'terminate'],
  external: ['others', 'etcd.example.com'],
} as const;

/** An adopted etcd, as \`provision adopt\` notes it. */
const ADOPTED =
  'etcd_managed: false\netcd_cert_file: /a\netcd_key_file: /a\netcd_trusted_ca_file: /a\netcd_client_cert_file: /a\netcd_client_key_file: /a\n';

const ways = ['haproxy', 'nginx', 'terminate', 'external'] as const;

test.each(ways.flatMap((way) => (['plan', 'adopt'] as const).map((next) => [way, next] as const)))(
  'what clients reach is what was chosen, with all that is offered with it: %s, %s',
  async (way, next) => {
    const isExternal = way === 'external';
    const given = {
      ...OWN_BALANCER,
      way,
      ...(isExternal ? { ip: undefined, network: undefined, hosts: undefined } : {}),
    };
    const offered = offeredExtras({ balancer: given, apiserverIp: undefined, next });
    if (next === 'adopt') {
      mkdirSync(join(directory, 'group_vars'));
      writeFileSync(join(directory, 'group_vars', 'all.yaml'), ADOPTED);
    }
    const answers = { ...USUAL_ANSWERS, balancer: given, extras: offered, apiserverIp: '10.0.0.101', next };
    const cluster = describeCluster(await written(answers));
    const [service] = cluster.services;
    expect(
      cluster.external === undefined
        ? [service?.proxy, service?.termination === undefined ? 'passthrough' : 'terminate']
        : ['others', cluster.external.name],
    ).toEqual(WAYS[way]);
    expect(offered.includes('firewall')).toBe(next === 'plan' && !isExternal);
    expect(offered.includes('fastFailover')).toBe(!isExternal);
    expect(offeredExtras({ balancer: given, apiserverIp: '10.0.0.101', next })).toContain('fastFailover');
    expect(offeredExtras({ balancer: undefined, apiserverIp: undefined, next })).not.toContain('fastFailover');
  },
);

test('an address of the API servers, and all that is offered besides, are described as they were asked for', async () => {
  const cluster = describeCluster(
    await written({ ...USUAL_ANSWERS, apiserverIp: '10.0.0.101', extras: ['firewall', 'snapshots', 'fastFailover'] }),
  );
  expect(cluster.services.map(({ name, endpoint }) => [name, endpoint.ip])).toEqual([
    ['etcd', '10.0.0.100'],
    ['kube-apiserver', '10.0.0.101'],
  ]);
  expect([cluster.firewall !== undefined, cluster.members[0]?.snapshots?.onCalendar]).toEqual([true, 'daily']);
  expect(cluster.services.map(({ balancers }) => balancers[0]?.keepalived)).toMatchObject([
    { vrrpVersion: 3, advertIntervalS: 0.3 },
    { vrrpVersion: 3, advertIntervalS: 0.3 },
  ]);
});
