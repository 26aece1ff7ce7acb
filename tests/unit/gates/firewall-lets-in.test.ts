import { describe, expect, test } from '@jest/globals';
import { firewallLetsIn } from '../../../src/gates/firewall-lets-in.js';
import { NOT_INSTALLED, RUNNING } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { withFirewall } from '../../support/sample-cluster.js';

const MEMBER = [2379, 2380].map((port) => `10.0.0.1 ${port}`);
const PORTS = [...MEMBER, '10.0.0.100 2379'];

/** A balancer that holds the address, or one that has heard so many adverts. */
function host(number: number, { open = PORTS, vip = false, heard = 0, keepalived = RUNNING } = {}): FakeAnswers {
  const own = { interface: 'eth0', address: `10.0.0.${number}`, prefixLength: 24 };
  const virtual = { interface: 'eth0', address: '10.0.0.100', prefixLength: 32 };
  return {
    'open-ports': Object.fromEntries(PORTS.map((key) => [key, open.includes(key)])),
    'host-addresses': { all: vip ? [own, virtual] : [own] },
    'source-addresses': Object.fromEntries([1, 2, 3].map((far) => [`10.0.0.${far}`, `10.0.0.${number}`])),
    'vrrp-heard': { ours: heard },
    units: { keepalived },
  };
}

const HOLDER = host(2, { vip: true });

async function ask(hosts: Readonly<Record<string, FakeAnswers>>) {
  const all = { 'etcd-1': host(1, { heard: 1 }), 'etcd-2': HOLDER, 'etcd-3': host(3), 'cp-1': host(11), ...hosts };
  const input = gateInput(fakeProbes(all), { batch: ['etcd-1'], when: 'action' });
  return firewallLetsIn(withFirewall()).check(input);
}

describe('a new firewall is kept', () => {
  test.each([
    ['all that need the host come in', {}],
    ['the host holds the address itself', { 'etcd-1': host(1, { vip: true }), 'etcd-2': host(2) }],
    [
      'the virtual IP is still to be set up',
      { 'etcd-1': host(1, { keepalived: NOT_INSTALLED }), 'etcd-2': host(2, { keepalived: NOT_INSTALLED }) },
    ],
    ['a host is away', { 'etcd-3': UNREACHABLE }],
    ['another one holds the address, which does not answer', { 'cp-1': host(11, { open: MEMBER }) }],
  ])('where %s', async (_, hosts) => {
    expect(await ask(hosts)).toEqual({ open: true });
  });
});

describe('a new firewall is not kept', () => {
  test.each([
    [
      'a member can’t connect as a member',
      { 'etcd-3': host(3, { open: ['10.0.0.1 2379'] }) },
      "etcd-3 can't connect to etcd-1 on port 2380",
    ],
    ['a control plane is kept out', { 'cp-1': host(11, { open: [] }) }, "cp-1 can't connect to etcd-1 on port 2379"],
    [
      'it holds the virtual IP, and a control plane comes to its member only',
      { 'etcd-1': host(1, { vip: true }), 'etcd-2': host(2), 'cp-1': host(11, { open: MEMBER }) },
      "cp-1 can't connect to 10.0.0.100 on etcd-1 on port 2379",
    ],
    ['it hears no advert', { 'etcd-1': host(1) }, 'etcd-1 hears no other load balancer of etcd'],
    [
      'it took the address, for it heard nobody',
      { 'etcd-1': host(1, { vip: true }) },
      '10.0.0.100 is held by etcd-1 and etcd-2 at once',
    ],
  ])('where %s', async (_, hosts, reason) => {
    expect(await ask(hosts)).toEqual({
      open: false,
      reason,
      next: 'ssh etcd-1 sudo nft list table inet provision_etcd',
    });
  });
});
