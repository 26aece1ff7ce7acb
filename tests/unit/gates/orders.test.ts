import { describe, expect, test } from '@jest/globals';
import { orderTable } from '../../../src/gates/orders.js';
import type { OrderedHosts } from '../../../src/model/gate.js';
import { SERVICE_NAMES } from '../../../src/model/virtual-service.js';
import type { Probe } from '../../../src/model/remote.js';
import { etcdHost, healthy, NO_DATA, NOT_INSTALLED, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'];

async function order(name: string, answers: readonly FakeAnswers[]): Promise<OrderedHosts | undefined> {
  const all = Object.fromEntries(HOSTS.map((host, index) => [host, answers[index] ?? {}]));
  const probe = (host: string): Probe => fakeProbe(all[host] ?? {}, all);
  return orderTable(SAMPLE_CLUSTER).get(name)?.(HOSTS, probe);
}

describe('leader-last', () => {
  const up = (number: number, leaderId = '1'): FakeAnswers => etcdHost({ status: healthy(number, { leaderId }) });
  const down = etcdHost({ unit: STOPPED, status: SILENT });
  const bare = etcdHost({ data: NO_DATA, unit: NOT_INSTALLED, status: SILENT });

  test.each([
    ['the leader comes last', [up(1), up(2), up(3)], ['etcd-2', 'etcd-3', 'etcd-1'], false],
    ['in inventory order otherwise', [1, 2, 3].map((n) => up(n, '2')), ['etcd-1', 'etcd-3', 'etcd-2'], false],
    ['what is down comes first', [up(1), up(2), down], ['etcd-3', 'etcd-2', 'etcd-1'], false],
    ['all together for the first start', [bare, bare, bare], HOSTS, true],
    ['all together where no quorum runs', [down, down, up(3)], HOSTS, true],
  ])('%s', async (_, answers, hosts, together) => {
    expect(await order('leader-last', answers)).toEqual({ hosts, together });
  });
});

test('the holder of the virtual IP comes last', async () => {
  const host = (...addresses: string[]): FakeAnswers => ({
    'host-addresses': { all: addresses.map((address) => ({ interface: 'eth0', address, prefixLength: 24 })) },
  });
  const answers = [host('10.0.0.1', '10.0.0.100'), host('10.0.0.2'), host('10.0.0.3')];
  expect(await order('vip-holder-last: etcd', answers)).toEqual({
    hosts: ['etcd-2', 'etcd-3', 'etcd-1'],
    together: false,
  });
});

describe('vip-holder-last', () => {
  const host = (...addresses: string[]): FakeAnswers => ({
    'host-addresses': { all: addresses.map((address) => ({ interface: 'eth0', address, prefixLength: 24 })) },
  });

  test.each([
    [1, ['etcd-2', 'etcd-3', 'etcd-1']],
    [2, ['etcd-1', 'etcd-3', 'etcd-2']],
    [3, ['etcd-1', 'etcd-2', 'etcd-3']],
  ])('moves the address once, whoever has it: etcd-%i', async (holder, hosts) => {
    const answers = [1, 2, 3].map((number) =>
      host(`10.0.0.${number}`, ...(number === holder ? ['10.0.0.100'] : ['10.0.0.101'])),
    );
    expect(await order('vip-holder-last: etcd', answers)).toEqual({ hosts, together: false });
  });

  test('is the order of the inventory where there is no virtual IP, and asks nobody', async () => {
    const table = orderTable({ ...SAMPLE_CLUSTER, services: [] });
    const ask = (): never => {
      throw new Error('asked');
    };
    expect(await table.get('vip-holder-last: etcd')?.(HOSTS, ask)).toEqual({ hosts: HOSTS, together: false });
    expect(await table.get('leader-last')?.([], ask)).toEqual({ hosts: [], together: false });
  });
});

test('the orders that a play can name', () => {
  expect([...orderTable(SAMPLE_CLUSTER).keys()]).toEqual([
    'inventory',
    'leader-last',
    ...SERVICE_NAMES.map((name) => `vip-holder-last: ${name}`),
  ]);
});

test('inventory order asks nobody', async () => {
  expect(await order('inventory', [])).toEqual({ hosts: HOSTS, together: false });
});
