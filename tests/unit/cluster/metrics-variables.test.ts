import { describe, expect, test } from '@jest/globals';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { firewallOn } from '../../../src/model/firewall.js';
import { loadFiles } from '../../support/write-inventory.js';

const MEMBERS = '[etcd]\na ip=192.0.2.1\nb ip=192.0.2.2\nc ip=192.0.2.3\n[all:vars]\netcd_lb_ip=192.0.2.100\n';

async function clusterWith(variables: string) {
  return describeCluster(await loadFiles({ hosts: `${MEMBERS}${variables}\n` }));
}

describe('where metrics are shown', () => {
  test('nowhere by default', async () => {
    const { members, services, hostMetrics } = await clusterWith('');
    expect(members.map(({ metrics }) => metrics)).toEqual([undefined, undefined, undefined]);
    expect(services.flatMap(({ balancers }) => balancers.map(({ proxy }) => proxy.metrics))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(hostMetrics).toEqual([]);
  });

  test("at the node's address, or the one that is asked for", async () => {
    const cluster = await clusterWith(
      'etcd_metrics_port=2381\nhaproxy_metrics_port=8405\nhaproxy_metrics_address=127.0.0.1\netcd_host_metrics_port=9380',
    );
    expect(cluster.members[1]?.metrics).toEqual({ address: '192.0.2.2', port: 2381 });
    expect(cluster.services[0]?.balancers[1]?.proxy.metrics).toEqual({ address: '127.0.0.1', port: 8405 });
    expect(cluster.hostMetrics[1]).toEqual({ host: 'b', address: '192.0.2.2', port: 9380 });
  });

  test('and only to whom the firewall lets in', async () => {
    const ports = 'etcd_metrics_port=2381\nhaproxy_metrics_port=8405\netcd_host_metrics_port=9380\netcd_firewall=true';
    expect(firewallOn(await clusterWith(ports), 'a', 'present')?.clientPorts).toEqual([2379, 2381, 8405, 9380]);
  });
});

describe('a port that another program of the host has is refused, with its place', () => {
  test.each([
    [
      'etcd_metrics_port=2379',
      'etcd_metrics_port: 2379: the etcd of a listens there on 192.0.2.1; expected another port',
    ],
    ['etcd_metrics_port=2380', 'etcd_metrics_port: 2380: the etcd of a listens there on 192.0.2.1'],
    ['haproxy_metrics_port=2380', 'haproxy_metrics_port: 2380: the etcd of a listens there on 192.0.2.1'],
    ['haproxy_metrics_port=2381\netcd_metrics_port=2381', 'haproxy_metrics_port: 2381: the etcd of a listens there'],
    ['etcd_host_metrics_port=2381\netcd_metrics_port=2381', 'etcd_host_metrics_port: 2381: the etcd of a listens'],
    ['etcd_host_metrics_port=9\nhaproxy_metrics_port=9', 'etcd_host_metrics_port: 9: HAProxy of a listens there'],
    [
      'etcd_host_metrics_port=9\netcd_host_metrics_address=0.0.0.0\nhaproxy_stats_port=9',
      'etcd_host_metrics_port: 9: HAProxy of a listens there on 127.0.0.1',
    ],
    ['haproxy_stats_port=2379', 'haproxy_stats_port: 2379: the etcd of a listens there on 127.0.0.1'],
    [
      'etcd_metrics_port=23790\netcd_metrics_address=127.0.0.1',
      'etcd_metrics_port: 23790: the etcd load balancer of a listens there on 127.0.0.1',
    ],
    [
      'etcd_metrics_port=2400\netcd_lb_port=2400\netcd_metrics_address=0.0.0.0',
      'etcd_metrics_port: 2400: the etcd load balancer of a listens there on 192.0.2.100',
    ],
    [
      'etcd_host_metrics_port=6443\n[kube_control_plane]\na',
      'etcd_host_metrics_port: 6443: the kube-apiserver of a listens there on all addresses',
    ],
    [
      'etcd_lb_port=6443\n[kube_control_plane]\na',
      'etcd_lb_port: 6443: the kube-apiserver of a listens there on all addresses; set etcd_lb_port to another one, or put hosts of their own into the group etcd_lb',
    ],
    ['etcd_client_port=23790', 'etcd_client_port: 23790: the etcd load balancer of a listens there on 127.0.0.1'],
    [
      'etcd_client_port=6443\n[kube_control_plane]\na',
      'etcd_client_port: 6443: the kube-apiserver of a listens there on all addresses; expected another port',
    ],
    ['etcd_peer_port=6443\n[kube_control_plane]\na', 'etcd_peer_port: 6443: the kube-apiserver of a listens there'],
    [
      'kube_apiserver_port=23790\n[kube_control_plane]\na',
      'kube_apiserver_port: 23790: the etcd load balancer of a listens there on 127.0.0.1',
    ],
    [
      'kube_apiserver_port=2379\n[kube_control_plane]\na',
      'kube_apiserver_port: 2379: the etcd of a listens there on 192.0.2.1',
    ],
  ])('%j', async (variables, expected) => {
    const lines = variables.split('\n').map((each) => each.split('=')[0] ?? '');
    // After those of the members.
    const line = `hosts:${7 + lines.findIndex((name) => expected.startsWith(name))}:`;
    const refused = clusterWith(variables);
    await expect(refused).rejects.toThrow(expected);
    await expect(refused).rejects.toThrow(line);
    await expect(refused).rejects.toMatchObject({ problems: { length: 1 } });
  });

  test.each([
    'etcd_metrics_port=2379\netcd_metrics_address=192.0.2.77',
    'haproxy_metrics_port=2379\nhaproxy_metrics_address=192.0.2.77',
    'etcd_lb_port=2380',
    'etcd_metrics_port=2381\nhaproxy_metrics_port=2381\nhaproxy_metrics_address=127.0.0.1',
    'etcd_host_metrics_port=6443\n[kube_control_plane]\nd ip=192.0.2.4',
    'kube_apiserver_bind_address=192.0.2.9\netcd_host_metrics_port=6443\n[kube_control_plane]\na',
  ])('but not one of another address or host: %j', async (variables) => {
    await expect(clusterWith(variables)).resolves.toMatchObject({ isManaged: true });
  });
});

describe("HAProxy's page of statistics", () => {
  const PASSWORD = 'correct-horse-9';

  test('is for its own host, where nothing else is said', async () => {
    const [service] = (await clusterWith('haproxy_stats_port=8404')).services;
    expect(service?.balancers[0]?.proxy.stats).toEqual({ address: '127.0.0.1', login: undefined });
  });

  test('elsewhere it needs user and password, which is not shown', async () => {
    const login = `haproxy_stats_port=8404\nhaproxy_stats_address=192.0.2.1\nhaproxy_stats_user=ops\nhaproxy_stats_password=${PASSWORD}`;
    const [service] = (await clusterWith(login)).services;
    const stats = service?.balancers[0]?.proxy.stats;
    expect(stats?.login?.password.reveal()).toBe(PASSWORD);
    expect(JSON.stringify(stats)).not.toContain(PASSWORD);
  });

  test.each([
    [
      'nobody is named',
      'haproxy_stats_port=8404\nhaproxy_stats_address=0.0.0.0',
      /haproxy_stats_user and haproxy_stats_password/,
    ],
    ['the password is missing', 'haproxy_stats_port=8404\nhaproxy_stats_user=ops', /haproxy_stats_password beside it/],
    [
      'the password is one of everybody',
      'haproxy_stats_port=8404\nhaproxy_stats_user=admin\nhaproxy_stats_password=password',
      /haproxy_stats_password: expected at least 12/,
    ],
    [
      'the password would end its word',
      `haproxy_stats_port=8404\nhaproxy_stats_user=ops\nhaproxy_stats_password="${PASSWORD} x"`,
      /haproxy_stats_password: expected/,
    ],
  ])('is refused where %s', async (_, variables, expected) => {
    await expect(clusterWith(variables)).rejects.toThrow(expected);
  });
});

test('a member whose own address is the loopback one does not stand in its own way', async () => {
  const hosts = 'a ansible_host=127.0.0.1\n[etcd]\na\n[etcd:vars]\netcd_lb_ip=10.0.0.100\n';
  const { members } = describeCluster(await loadFiles({ hosts }));
  expect(members.map(({ address, clientPort }) => [address, clientPort])).toEqual([['127.0.0.1', 2379]]);
});
