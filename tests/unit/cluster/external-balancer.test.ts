import { describe, expect, test } from '@jest/globals';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { etcdWay } from '../../../src/model/etcd-way.js';
import { memberCertificates } from '../../../src/pki/certificate-list.js';
import { hostOf, loadFiles } from '../../support/write-inventory.js';

const MEMBERS = '[etcd]\na ip=192.0.2.1\nb ip=192.0.2.2\nc ip=192.0.2.3\n';
const EXTERNAL = `${MEMBERS}[all:vars]\netcd_lb_provider=external\n`;

describe('a balancer that others run', () => {
  test.each([
    ['an address', 'etcd_lb_ip=203.0.113.7\netcd_lb_port=12379', 'https://203.0.113.7:12379', ['203.0.113.7']],
    ['an IPv6 address', 'etcd_lb_ip=2001:DB8::0:7', 'https://[2001:db8::7]:2379', ['2001:db8::7']],
    ['a name', 'etcd_lb_host=etcd.example.', 'https://etcd.example:2379', ['etcd.example']],
    [
      'both, and the address is used',
      'etcd_lb_ip=203.0.113.7\netcd_lb_host=etcd.example',
      'https://203.0.113.7:2379',
      ['203.0.113.7', 'etcd.example'],
    ],
  ])('by %s', async (_, variables, url, names) => {
    const cluster = describeCluster(await loadFiles({ hosts: `${EXTERNAL}${variables}\n` }));
    expect(cluster.services).toEqual([]);
    expect(etcdWay(cluster)).toMatchObject({ provider: 'external', url, names });
    const [member] = cluster.members;
    const server = member === undefined ? undefined : memberCertificates(cluster, member)[0];
    expect([...(server?.profile.dnsNames ?? []), ...(server?.profile.ipAddresses ?? [])]).toEqual(
      expect.arrayContaining(names),
    );
  });

  test('is what templates are given', async () => {
    const text = `${EXTERNAL}etcd_lb_host=etcd.example\nservers="{{ etcd_access_addresses }}"\n`;
    expect(hostOf(await loadFiles({ hosts: text }), 'a').variables.get('servers')).toBe('https://etcd.example:2379');
  });

  test('switched off, it is none', async () => {
    const cluster = describeCluster(
      await loadFiles({ hosts: `${EXTERNAL}etcd_lb_host=etcd.example\netcd_lb_enabled=false\n` }),
    );
    expect(etcdWay(cluster)).toBeUndefined();
  });

  test('members may be former balancers of ours', async () => {
    const former = '[etcd_lb_former:children]\netcd\n';
    const cluster = describeCluster(await loadFiles({ hosts: `${EXTERNAL}etcd_lb_ip=203.0.113.7\n${former}` }));
    expect(cluster.external?.former.formerBalancers.map(({ host }) => host)).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['nowhere', '', /etcd_lb_provider: is external, and neither etcd_lb_ip nor etcd_lb_host is set/],
    ['at a member', 'etcd_lb_ip=192.0.2.2', /192\.0\.2\.2:2379 is the member b itself/],
    ['at an address of nobody', 'etcd_lb_ip=224.0.0.1', /224\.0\.0\.1 is unspecified, loopback, multicast or reserved/],
    ['at many names', 'etcd_lb_host=*.example', /\*\.example stands for many names/],
    [
      'run by nobody known',
      'etcd_lb_ip=203.0.113.7\netcd_lb_provider=haproxy',
      /etcd_lb_provider: "haproxy": expected own, external/,
    ],
  ])('is refused %s', async (_, variables, message) => {
    const inventory = await loadFiles({ hosts: `${EXTERNAL}${variables}\n` });
    expect(() => describeCluster(inventory)).toThrow(message);
  });

  test('is refused beside balancers of ours, with the group that frees them', async () => {
    const text = `${EXTERNAL}etcd_lb_ip=203.0.113.7\n[etcd_lb]\nlb ip=192.0.2.9\n`;
    const inventory = await loadFiles({ hosts: text });
    expect(() => describeCluster(inventory)).toThrow(/group etcd_lb: has lb, .* Rename the group to etcd_lb_former/);
  });
});

describe('a proxy that ends TLS', () => {
  const own = `${MEMBERS}[all:vars]\netcd_lb_ip=192.0.2.9\netcd_lb_mode=terminate\n`;

  test('is described with what it shows on both sides, and every plan says what is lost', async () => {
    const inventory = await loadFiles({ hosts: own });
    expect(describeCluster(inventory).services[0]?.termination).toEqual({
      server: '/etc/haproxy/etcd-server.pem',
      client: '/etc/haproxy/etcd-proxy.pem',
    });
    expect(clusterWarnings(inventory).map(({ message }) => message)).toEqual([
      expect.stringContaining('members see all clients of the load balancer as one'),
    ]);
  });

  test('is none without being asked for', async () => {
    const { services } = describeCluster(await loadFiles({ hosts: own.replace('terminate', 'passthrough') }));
    expect(services[0]?.termination).toBeUndefined();
  });

  test.each([
    ['nginx', `${own}etcd_lb_proxy=nginx\n`, /etcd_lb_mode: terminate: nginx only passes TLS through/],
    ['a balancer of others', `${own}etcd_lb_provider=external\n`, /only a load balancer of this program can end TLS/],
    [
      'a word of its own',
      own.replace('terminate', 'offload'),
      /etcd_lb_mode: "offload": expected passthrough, terminate/,
    ],
  ])('is refused with %s', async (_, text, message) => {
    const inventory = await loadFiles({ hosts: text });
    expect(() => describeCluster(inventory)).toThrow(message);
  });
});
