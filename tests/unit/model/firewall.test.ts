import { describe, expect, test } from '@jest/globals';
import { firewallOn, isLetIn, neededWays } from '../../../src/model/firewall.js';
import {
  SAMPLE_APISERVER,
  SAMPLE_CLUSTER,
  SAMPLE_SERVICE,
  sampleBalancer,
  sampleMember,
  withFirewall,
} from '../../support/sample-cluster.js';

const MEMBERS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];

describe('whom a host lets in', () => {
  test('nobody is kept out where the inventory wants no firewall', () => {
    expect(firewallOn(SAMPLE_CLUSTER, 'etcd-1', 'present')).toBeUndefined();
  });

  test('a member that balances: clients and members to their ports, other balancers with VRRP', () => {
    expect(firewallOn(withFirewall(['192.0.2.0/24']), 'etcd-1', 'present')).toEqual({
      clientPorts: [2379],
      clients: [...MEMBERS, '10.0.0.11', '192.0.2.0/24'],
      peerPorts: [2380],
      peers: MEMBERS,
      balancers: MEMBERS,
      routerIds: [100],
    });
  });

  test('a balancer of its own: its own port, and no port for members', () => {
    const balancers = [1, 2].map((number) => ({ ...sampleBalancer(number), host: `lb-${number}` }));
    const services = [{ ...SAMPLE_SERVICE, endpoint: { ...SAMPLE_SERVICE.endpoint, port: 12379 }, balancers }];
    const cluster = withFirewall([], { services });
    const addresses = new Map([...(cluster.firewall?.addresses ?? []), ['lb-1', ['10.0.0.21', '172.16.0.21']]]);
    const guarded = { ...cluster, firewall: { allow: [], addresses } };
    expect(firewallOn(guarded, 'lb-1', 'present')).toEqual({
      clientPorts: [12379],
      // By whichever of its addresses it connects.
      clients: [...MEMBERS, '10.0.0.11', '10.0.0.21', '172.16.0.21'],
      peerPorts: [],
      peers: [],
      balancers: ['10.0.0.21', '172.16.0.21'],
      routerIds: [100],
    });
    expect(firewallOn(guarded, 'etcd-1', 'present')).toMatchObject({ peerPorts: [2380], balancers: [], routerIds: [] });
  });

  test('VRRP of each service that the host balances, and of those that leave until they have left', () => {
    const { keepalived, ...balancer } = sampleBalancer(3);
    const leaving = { ...balancer, keepalived: { ...keepalived, virtualRouterId: 7 } };
    const services = [{ ...SAMPLE_SERVICE, formerBalancers: [leaving] }, SAMPLE_APISERVER];
    const cluster = withFirewall([], { services });
    expect(firewallOn(cluster, 'etcd-1', 'present')?.routerIds).toEqual([100, 200]);
    expect(firewallOn(cluster, 'etcd-1', 'present-and-former')?.routerIds).toEqual([100, 7, 200]);
  });

  test('a control plane is guarded for its virtual IP only', () => {
    const services = [{ ...SAMPLE_APISERVER, balancers: [{ ...sampleBalancer(1), host: 'cp-1' }] }];
    expect(firewallOn(withFirewall([], { services }), 'cp-1', 'present')).toMatchObject({
      clientPorts: [],
      peerPorts: [],
      balancers: ['10.0.0.11'],
    });
    expect(firewallOn(withFirewall(), 'cp-1', 'present')).toBeUndefined();
  });

  test('those that leave are let in until they have left', () => {
    const cluster = withFirewall([], { formerMembers: [{ ...sampleMember(1), host: 'old', address: '10.0.0.9' }] });
    expect(firewallOn(cluster, 'etcd-1', 'present')?.peers).toEqual(MEMBERS);
    expect(firewallOn(cluster, 'etcd-1', 'present-and-former')?.peers).toEqual([...MEMBERS, '10.0.0.9']);
    expect(firewallOn(cluster, 'old', 'present')).toBeUndefined();
    expect(firewallOn(cluster, 'old', 'present-and-former')).toMatchObject({ peerPorts: [2380] });
  });

  test('VRRP of IPv6 to a group comes from the address of the link', () => {
    const balancers = SAMPLE_SERVICE.balancers.map((each) => ({
      ...each,
      keepalived: { ...each.keepalived, unicast: false },
    }));
    const endpoint = { ...SAMPLE_SERVICE.endpoint, ip: '2001:db8::7' };
    const over = (service: typeof SAMPLE_SERVICE) =>
      firewallOn(withFirewall([], { services: [service] }), 'etcd-1', 'present')?.balancers;
    expect(over({ ...SAMPLE_SERVICE, endpoint, balancers })).toEqual([...MEMBERS, 'fe80::/10']);
    expect(over({ ...SAMPLE_SERVICE, endpoint })).toEqual(MEMBERS);
    expect(over({ ...SAMPLE_SERVICE, balancers })).toEqual(MEMBERS);
  });
});

test('who needs a host: other members both ports of its member, others that for clients; clients the virtual IP', () => {
  const balancers = [{ ...sampleBalancer(1), host: 'lb-1' }];
  const endpoint = { ...SAMPLE_SERVICE.endpoint, port: 12379 };
  const cluster = withFirewall([], { services: [{ ...SAMPLE_SERVICE, endpoint, balancers }, SAMPLE_APISERVER] });
  const to = '10.0.0.2';
  expect(neededWays(cluster, 'etcd-2')).toEqual([
    { from: 'etcd-1', to, ports: [2379, 2380] },
    { from: 'etcd-3', to, ports: [2379, 2380] },
    { from: 'lb-1', to, ports: [2379] },
    { from: 'cp-1', to, ports: [2379] },
  ]);
  const virtual = { to: '10.0.0.100', ports: [12379] };
  expect(neededWays(cluster, 'lb-1')).toEqual(
    ['etcd-1', 'etcd-2', 'etcd-3', 'cp-1'].map((from) => ({ from, ...virtual })),
  );
  expect(neededWays(withFirewall(), 'etcd-2').filter((way) => way.to !== to)).toHaveLength(3);
  expect(neededWays(cluster, 'cp-1')).toEqual([]);
});

test.each([
  ['10.0.0.1', ['10.0.0.1'], true],
  ['10.0.0.2', ['10.0.0.1'], false],
  ['10.0.3.7', ['10.0.0.1', '10.0.2.0/23'], true],
  ['10.0.4.7', ['10.0.2.0/23'], false],
  ['2001:db8::5', ['2001:db8::/64', '10.0.0.0/8'], true],
  ['2001:db9::5', ['2001:db8::/64'], false],
  ['no address', ['0.0.0.0/0', '::/0'], false],
])('%s is let in by %j: %s', (address, sources, expected) => {
  expect(isLetIn(address, sources)).toBe(expected);
});
