import { describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../../src/model/cluster.js';
import { Secret } from '../../../src/model/secret.js';
import { expectRendered, linesOf, resourcesOf, written } from '../../support/bare-host.js';
import { virtualIpRole } from '../../../src/roles/keepalived/role.js';
import { BOTH, FULL, NGINX, OWN, PATHS, SIX, WATCHED, withFirst } from '../../support/role-clusters.js';
import { NOT_INSTALLED, RUNNING } from '../../support/etcd-answers.js';
import { fakeProbe, watched, type FakeAnswers } from '../../support/fake-probe.js';
import { PLANTED_AUTH_PASS, ROLE_TOOLS } from '../../support/role-tools.js';
import {
  SAMPLE_CLUSTER,
  SAMPLE_SERVICE,
  sampleBalancer,
  sampleMember,
  withService,
} from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const { keepalived } = sampleBalancer(1);

test.each([
  [
    'etcd-virtual-ip',
    'etcd-1',
    [
      'virtual-ip:10.0.0.100',
      'vrrp-version:10.0.0.100',
      'secret:keepalived-auth-pass',
      'operating-system',
      'packages:keepalived',
      'directory:/usr/local/lib/provision',
      'file:/usr/local/lib/provision/check-haproxy',
      'directory:/etc/systemd/system/haproxy.service.d',
      'drop-in:/etc/systemd/system/haproxy.service.d/60-provision-down.conf',
      'directory:/etc/keepalived',
      'file:/etc/keepalived/keepalived.conf',
      'unit:keepalived',
      'retired:provision-etcd-keepalived',
      'service:keepalived',
    ],
  ],
  [
    'kube-apiserver-virtual-ip',
    'etcd-2',
    [
      'virtual-ip:10.0.0.200',
      'vrrp-version:10.0.0.200',
      'operating-system',
      'packages:keepalived',
      'directory:/usr/local/lib/provision',
      'file:/usr/local/lib/provision/check-kube-apiserver-haproxy',
      'directory:/etc/systemd/system/provision-kube-apiserver-haproxy.service.d',
      'drop-in:/etc/systemd/system/provision-kube-apiserver-haproxy.service.d/60-provision-down.conf',
      'directory:/etc/keepalived',
      'directory:/etc/keepalived/provision',
      'file:/etc/systemd/system/provision-kube-apiserver-keepalived.service',
      'file:/etc/keepalived/provision/kube-apiserver.conf',
      'unit:provision-kube-apiserver-keepalived',
      'service:provision-kube-apiserver-keepalived',
    ],
  ],
])('%s gives %s its resources in this order', (role, host, addresses) => {
  expect(resourcesOf(role, host, BOTH).map(({ address }) => address)).toEqual(addresses);
});

test('every former unit is retired', () => {
  const former = ['one', 'two'].map((unit) => ({ unit, configFile: `/etc/keepalived/${unit}.conf` }));
  const cluster = withFirst({}, { keepalived: { ...keepalived, former } });
  expect(
    resourcesOf('etcd-virtual-ip', 'etcd-1', cluster)
      .map(({ address }) => address)
      .filter((address) => address.startsWith('retired:')),
  ).toEqual(['retired:one', 'retired:two']);
});

test('what takes the place of a former unit is named', async () => {
  const former = [{ unit: 'one', configFile: '/etc/keepalived/one.conf' }];
  const retired = resourcesOf(
    'etcd-virtual-ip',
    'etcd-1',
    withFirst({}, { keepalived: { ...keepalived, former } }),
  ).find(({ address }) => address === 'retired:one');
  const probe = fakeProbe({
    units: { one: RUNNING },
    'file-origins': { '/etc/keepalived/one.conf': { kind: 'ours' } },
  });
  expect(await retired?.plan(probe)).toMatchObject({
    change: { summary: 'stop and disable one: keepalived takes its place' },
  });
});

test('only the first balancer keeps the generated password, and none when it is given', () => {
  const addresses = (host: string, cluster?: Cluster): readonly string[] =>
    resourcesOf('etcd-virtual-ip', host, cluster).map(({ address }) => address);
  const balancers = SAMPLE_SERVICE.balancers.map((balancer) => ({
    ...balancer,
    keepalived: { ...balancer.keepalived, authPass: new Secret('given') },
  }));
  expect(addresses('etcd-2')).not.toContain('secret:keepalived-auth-pass');
  expect(addresses('etcd-1', withService({ balancers }))).not.toContain('secret:keepalived-auth-pass');
});

test.each([
  ['etcd-virtual-ip', 'keepalived.conf', 'watched', WATCHED],
  ['etcd-virtual-ip', 'keepalived.conf', 'default', SAMPLE_CLUSTER],
  ['etcd-virtual-ip', 'keepalived.conf', 'extra', FULL],
  ['etcd-virtual-ip', 'keepalived.conf', 'ipv6', SIX],
  ['etcd-virtual-ip', 'check-haproxy', 'default', SAMPLE_CLUSTER],
  ['etcd-virtual-ip', 'proxy-down.conf', 'default', SAMPLE_CLUSTER],
  ['etcd-virtual-ip', 'nginx-down.conf', 'default', NGINX],
  ['etcd-virtual-ip', 'check-nginx', 'default', NGINX],
  ['kube-apiserver-virtual-ip', 'kube-apiserver.conf', 'default', BOTH],
  ['kube-apiserver-virtual-ip', 'check-kube-apiserver-haproxy', 'default', BOTH],
  ['etcd-virtual-ip', 'keepalived.service', 'default', OWN],
] as const)('%s renders %s, %s', async (role, name, variant, cluster) => {
  await expectRendered(role, name, variant, cluster);
});

test('the password lands on the host, and is shown nowhere', async () => {
  const outcome = await written('etcd-virtual-ip', PATHS['keepalived.conf'], SAMPLE_CLUSTER);
  const [action] = outcome.change.actions;
  const landed = action?.kind === 'write-file' ? action.content.reveal() : '';
  expect(landed).toContain(`auth_pass ${PLANTED_AUTH_PASS}\n`);
  expect(JSON.stringify(outcome)).not.toContain(PLANTED_AUTH_PASS);
  expect(JSON.stringify({ landed })).toContain(PLANTED_AUTH_PASS);
});

test.each([
  ['etcd-1', '10.0.0.1', 100, ['10.0.0.2', '10.0.0.3']],
  ['etcd-2', '10.0.0.2', 99, ['10.0.0.1', '10.0.0.3']],
  ['etcd-3', '10.0.0.3', 98, ['10.0.0.1', '10.0.0.2']],
])('keepalived.conf: %s', async (host, address, priority, peers) => {
  expect(
    await linesOf(
      host,
      PATHS['keepalived.conf'],
      /^(router_id|priority|unicast_src_ip|10\.0\.0\.|virtual_router_id|state|auth_pass)/,
    ),
  ).toEqual([
    `router_id ${host}`,
    'state BACKUP',
    'virtual_router_id 100',
    `priority ${priority}`,
    `unicast_src_ip ${address}`,
    ...peers,
    `auth_pass ${PLANTED_AUTH_PASS}`,
    '10.0.0.100/32 dev eth0',
  ]);
});

test('another password, router id or priority where the host’s own variables say so', async () => {
  const own = { ...keepalived, authPass: new Secret('own'), virtualRouterId: 7, priority: 200, advertIntervalS: 3 };
  const cluster = withFirst({}, { keepalived: own });
  const words = /^(virtual_router_id|priority|advert_int|auth_pass)/;
  expect(await linesOf('etcd-1', PATHS['keepalived.conf'], words, cluster)).toEqual([
    'virtual_router_id 7',
    'priority 200',
    'advert_int 3',
    'auth_pass own',
  ]);
  expect(await linesOf('etcd-2', PATHS['keepalived.conf'], words, cluster)).toEqual([
    'virtual_router_id 100',
    'priority 99',
    'advert_int 1',
    `auth_pass ${PLANTED_AUTH_PASS}`,
  ]);
});

test('version 3 of VRRP has no password, and none is made for it', async () => {
  const hasty = { ...keepalived, vrrpVersion: 3, advertIntervalS: 0.3 };
  const cluster = withFirst({}, { keepalived: hasty });
  const words = /^(version|virtual_router_id|advert_int|auth_)/;
  expect(await linesOf('etcd-1', PATHS['keepalived.conf'], words, cluster)).toEqual([
    'version 3',
    'virtual_router_id 100',
    'advert_int 0.3',
  ]);
  const addresses = resourcesOf('etcd-virtual-ip', 'etcd-1', cluster).map(({ address }) => address);
  expect(addresses).not.toContain('secret:keepalived-auth-pass');
  expect(addresses).toContain('vrrp-version:10.0.0.100');
});

describe('hosts that are no load balancers', () => {
  const FORMER = ['etcd-9', 'lb-9'];
  const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3', ...FORMER, 'cp-1', 'far-1'];
  const cluster: Cluster = {
    ...withService({ formerBalancers: [{ ...sampleBalancer(1), host: 'lb-9' }] }),
    formerMembers: [{ ...sampleMember(1), host: 'etcd-9' }],
  };
  const answered: FakeAnswers = {
    'host-addresses': { all: [{ interface: 'eth0', address: '10.0.0.1', prefixLength: 24 }] },
    'hardware-addresses': { all: ['42:8f:a4:a8:70:e2'] },
    units: { keepalived: NOT_INSTALLED },
    'file-contents': { [PATHS['keepalived.conf']]: undefined },
    'file-states': { [PATHS['keepalived.conf']]: { kind: 'absent' } },
  };

  /**
   * The hosts that were looked at for an address, in order, without those that may hold it, and what came of it.
   * @param given further answers, by host
   */
  async function looks(
    hardware: string | undefined,
    given: Readonly<Record<string, FakeAnswers>> = {},
  ): Promise<readonly [readonly string[], PromiseSettledResult<unknown>]> {
    const hosts = HOSTS.map(
      (name) => [name, { ...namedHost(name), at: { file: `of-${name}.yaml`, line: 1, column: 1 } }] as const,
    );
    const inventory = { ...templateInventory(HOSTS), hosts: new Map(hosts) };
    const [resource] = virtualIpRole(ROLE_TOOLS, 'etcd').resources(namedHost('etcd-1'), inventory, cluster);
    const own = { ...answered, 'addresses-in-use': { '10.0.0.100': hardware } };
    const others = Object.fromEntries(HOSTS.map((name) => [name, { ...answered, ...given[name] }]));
    const probe = watched(fakeProbe(own, others, 'etcd-1'));
    const [planned] = await Promise.allSettled([resource?.plan(probe)]);
    return [probe.names.filter((name) => !['etcd-1', 'etcd-2', 'etcd-3'].includes(name)), planned];
  }

  test('are looked at where they have another part in the cluster, were it as former members', async () => {
    // A former load balancer is asked for its hardware, and is no stranger.
    expect(await looks(undefined)).toEqual([
      ['etcd-9', 'cp-1', 'lb-9'],
      { status: 'fulfilled', value: { kind: 'unchanged' } },
    ]);
  });

  test('are looked at where they have none, each once, only where a stranger answers for the address', async () => {
    expect(await looks('de:ad:be:ef:00:01')).toEqual([
      ['etcd-9', 'cp-1', 'lb-9', 'far-1'],
      { status: 'rejected', reason: expect.objectContaining({ code: 'virtual-ip-taken' }) as unknown },
    ]);
  });

  test('are named as former ones in the file in which the first host stands', async () => {
    const held = { 'host-addresses': { all: [{ interface: 'eth0', address: '10.0.0.100', prefixLength: 32 }] } };
    const [, planned] = await looks(undefined, { 'etcd-9': held });
    expect(planned).toMatchObject({
      reason: {
        code: 'former-balancer',
        message: expect.stringMatching(/^etcd-9 holds the virtual IP 10\.0\.0\.100: /) as unknown,
        hint: expect.stringMatching(/add to of-etcd-1\.yaml:\netcd_lb_former:\n/) as unknown,
      },
    });
  });
});
