import { describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../../src/model/cluster.js';
import { NO_ETCD, expectRendered, linesOf, resourcesOf, written } from '../../support/bare-host.js';
import { fakeProbe } from '../../support/fake-probe.js';
import {
  BOTH,
  BOTH_OF_TWO,
  BOTH_BY_NGINX,
  ENDS,
  FULL,
  NGINX,
  NGINX_FULL,
  OWN,
  PATHS,
  SIX,
  WATCHED,
  withFormer,
} from '../../support/role-clusters.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

test.each([
  [
    'etcd-proxy',
    'etcd-1',
    [
      'listen:10.0.0.100:2379',
      'operating-system',
      'packages:haproxy,openssl,keepalived',
      'directory:/etc/keepalived',
      'trust:/etc/haproxy/etcd-ca.crt',
      'certificate:/etc/haproxy/etcd-client.pem',
      'file:/etc/haproxy/haproxy.cfg',
      'unit:haproxy',
      'service:haproxy',
      // Keys of a proxy that ended TLS.
      'unused-certificate:/etc/haproxy/etcd-server.pem',
      'unused-certificate:/etc/haproxy/etcd-proxy.pem',
    ],
  ],
  [
    'kube-apiserver-proxy',
    'etcd-1',
    [
      'listen:10.0.0.200:8443',
      'operating-system',
      'packages:haproxy,openssl,keepalived',
      'directory:/etc/keepalived',
      'trust:/etc/haproxy/kube-apiserver-ca.crt',
      'directory:/etc/haproxy/provision',
      'file:/etc/systemd/system/provision-kube-apiserver-haproxy.service',
      'file:/etc/haproxy/provision/kube-apiserver.cfg',
      'unit:provision-kube-apiserver-haproxy',
      'service:provision-kube-apiserver-haproxy',
    ],
  ],
])('%s gives %s its resources in this order', (role, host, addresses) => {
  expect(resourcesOf(role, host, BOTH).map(({ address }) => address)).toEqual(addresses);
});

describe('an etcd that listens everywhere', () => {
  const [EVERYWHERE, ENV] = [[{ address: '0.0.0.0', port: 2379, process: 'etcd' }], '/etc/default/etcd'];
  const listen = (host: string, cluster = SAMPLE_CLUSTER): Promise<unknown> | undefined =>
    resourcesOf('etcd-proxy', host, cluster)[0]?.plan(
      fakeProbe({ listeners: { 2379: EVERYWHERE }, 'file-states': { [ENV]: { kind: 'absent' } }, ...NO_ETCD }),
    );

  test.each(['etcd-1', 'etcd-2'])('is no stranger to the balancer of its host, which moves it: %s', async (host) => {
    expect(await listen(host)).toEqual({ kind: 'unchanged' });
  });

  test('is one where no member is managed on the host', async () => {
    const [first, ...members] = SAMPLE_CLUSTER.members;
    expect(first?.host).toBe('etcd-1');
    const refused = { code: 'address-taken', hint: expect.stringContaining('etcd_lb_port') as unknown };
    await expect(listen('etcd-1', { ...SAMPLE_CLUSTER, members })).rejects.toMatchObject(refused);
  });
});

test.each([
  ['etcd-proxy', 2379, '10.0.0.100', 'haproxy', () => NGINX, undefined],
  ['etcd-proxy', 2379, '10.0.0.100', 'nginx', () => NGINX, undefined],
  ['etcd-proxy', 2379, '10.0.0.100', 'haproxy', () => SAMPLE_CLUSTER, undefined],
  ['etcd-proxy', 2379, '10.0.0.100', 'nginx', () => SAMPLE_CLUSTER, /etcd_lb_port$/],
  ['kube-apiserver-proxy', 8443, '10.0.0.200', 'haproxy', () => BOTH, undefined],
  ['kube-apiserver-proxy', 8443, '10.0.0.200', 'kube-apiserver', () => BOTH, /kube_apiserver_lb_port$/],
] as const)(
  '%s: who may listen on port %i of %s already is its proxy, and a former one: %s',
  async (role, port, address, process, cluster, hint) => {
    // Nothing is freed here: no member is managed.
    const [listen] = resourcesOf(role, 'etcd-1', { ...withFormer(cluster()), isManaged: false });
    const found = fakeProbe({ listeners: { [port]: [{ address, port, process }] } });
    const outcome = await listen?.plan(found).catch((error: unknown) => error);
    if (hint === undefined) expect(outcome).toEqual({ kind: 'unchanged' });
    else expect(outcome).toMatchObject({ code: 'address-taken', hint: expect.stringMatching(hint) as unknown });
  },
);

test('what took its place before is retired before keys that nobody uses any more go', () => {
  const last = resourcesOf('etcd-proxy', 'etcd-1', withFormer(NGINX)).map(({ address }) => address);
  const kinds = last.flatMap((address) => /^(retired|unused-certificate):/.exec(address)?.[1] ?? []);
  expect(kinds).toEqual(['retired', 'retired', 'unused-certificate', 'unused-certificate']);
});

test('what the etcd of a host is configured by matters only to a balancer of the same port', async () => {
  const free = fakeProbe({ listeners: { 8443: [] } });
  const [listen] = resourcesOf('kube-apiserver-proxy', 'etcd-1', BOTH);
  // It asks for nothing else: not for the file of an existing etcd.
  expect(await listen?.plan(free)).toEqual({ kind: 'unchanged' });
});

test('a load balancer without an address is refused', () => {
  expect(() => resourcesOf('etcd-proxy', 'etcd-1', { ...SAMPLE_CLUSTER, services: [] })).toThrow('etcd_lb_ip');
});

test('a proxy that ends TLS has a certificate for its clients and one for the members; one that does not has neither', () => {
  const certificates = (cluster: Cluster): readonly string[] =>
    resourcesOf('etcd-proxy', 'etcd-1', cluster).flatMap(({ address }) =>
      address.includes('certificate:') ? [address] : [],
    );
  expect(certificates(ENDS)).toEqual([
    'certificate:/etc/haproxy/etcd-client.pem',
    'certificate:/etc/haproxy/etcd-server.pem',
    'certificate:/etc/haproxy/etcd-proxy.pem',
  ]);
  expect(certificates(SAMPLE_CLUSTER)).toEqual([
    'certificate:/etc/haproxy/etcd-client.pem',
    'unused-certificate:/etc/haproxy/etcd-server.pem',
    'unused-certificate:/etc/haproxy/etcd-proxy.pem',
  ]);
});

test.each([
  ['etcd-proxy', 'haproxy.cfg', 'default', SAMPLE_CLUSTER],
  ['etcd-proxy', 'haproxy.cfg', 'extra', FULL],
  ['etcd-proxy', 'haproxy.cfg', 'ipv6', SIX],
  ['etcd-proxy', 'haproxy.cfg', 'terminate', ENDS],
  ['etcd-proxy', 'haproxy.cfg', 'watched', WATCHED],
  ['etcd-proxy', 'nginx.conf', 'default', NGINX],
  ['etcd-proxy', 'nginx.service', 'default', NGINX],
  ['etcd-proxy', 'nginx.conf', 'extra', NGINX_FULL],
  ['kube-apiserver-proxy', 'kube-apiserver.cfg', 'default', BOTH],
  ['kube-apiserver-proxy', 'kube-apiserver.cfg', 'of-two', BOTH_OF_TWO],
  ['kube-apiserver-proxy', 'kube-apiserver.nginx.cfg', 'default', BOTH_BY_NGINX],
  ['etcd-proxy', 'haproxy.service', 'default', OWN],
] as const)('%s renders %s, %s', async (role, name, variant, cluster) => {
  await expectRendered(role, name, variant, cluster);
});

test('the password of the statistics page lands on the host, for its owner alone, and is shown nowhere', async () => {
  const { change } = await written('etcd-proxy', PATHS['haproxy.cfg'], WATCHED);
  const [action] = change.actions;
  if (action?.kind !== 'write-file') throw new Error('no file is written');
  expect(action.content.reveal()).toContain('    stats auth ops:planted-stats-pass\n');
  expect(action.mode).toBe('0600');
  expect([action.content.redacted, ...change.diff].join('\n')).not.toContain('planted-stats-pass');
});

test('haproxy.cfg: the same on every host, with every member', async () => {
  const [first, ...further] = await Promise.all(
    ['etcd-1', 'etcd-2', 'etcd-3'].map((host) => linesOf(host, PATHS['haproxy.cfg'], /./)),
  );
  expect(further).toEqual([first, first]);
  expect(first?.filter((line) => line.startsWith('server '))).toEqual(
    [1, 2, 3].map((n) => `server m${n} 10.0.0.${n}:2379 check-sni m${n} verifyhost m${n}`),
  );
});
