import { describe, expect, test } from '@jest/globals';
import type { ApiserverProcess } from '../../../src/facts/apiserver-processes.js';
import { orderTable } from '../../../src/gates/orders.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { OrderedHosts } from '../../../src/model/gate.js';
import { SERVICE_NAMES } from '../../../src/model/virtual-service.js';
import type { Probe } from '../../../src/model/remote.js';
import { etcdHost, healthy, NO_DATA, NOT_INSTALLED, RUNNING, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { BARE_HOST, joiningHost, listedMember } from '../../support/joining-hosts.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../../support/sample-cluster.js';

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
    ['all together for the bootstrap', [bare, bare, bare], HOSTS, true],
    ['all together where no quorum runs', [down, down, up(3)], HOSTS, true],
  ])('%s', async (_, answers, hosts, together) => {
    expect(await order('leader-last', answers)).toEqual({ hosts, together });
  });
});

describe('learner-first', () => {
  const bare = joiningHost(4, BARE_HOST);
  const cluster = { ...SAMPLE_CLUSTER, members: [1, 2, 3, 4, 5].map((number) => sampleMember(number)) };
  const listed = [1, 2, 3].map((number) => listedMember(number));

  test.each([
    ['as in the inventory where none has begun', listed, ['etcd-4', 'etcd-5']],
    ['who is a learner already comes first', [...listed, listedMember(5, true)], ['etcd-5', 'etcd-4']],
  ])('%s', async (_, members, hosts) => {
    const serving = [1, 2, 3].map((number) => joiningHost(number, { status: healthy(number, { members }) }));
    const all = Object.fromEntries([...serving, bare, bare].map((each, index) => [`etcd-${index + 1}`, each]));
    const probe = (host: string): Probe => fakeProbe(all[host] ?? {}, all);
    const ordered = await orderTable(cluster).get('learner-first')?.(['etcd-4', 'etcd-5'], probe);
    expect(ordered).toEqual({ hosts, together: false });
  });
});

describe('vip-holder-last', () => {
  const UNITS = ['haproxy', 'keepalived', 'provision-etcd-keepalived'];

  function balancer(address: 'holds' | 'waits', active: readonly string[]): FakeAnswers {
    const addresses = address === 'holds' ? ['10.0.0.1', SAMPLE_SERVICE.endpoint.ip] : ['10.0.0.1'];
    return {
      'host-addresses': { all: addresses.map((each) => ({ interface: 'eth0', address: each, prefixLength: 24 })) },
      units: Object.fromEntries(UNITS.map((unit) => [unit, active.includes(unit) ? RUNNING : STOPPED])),
    };
  }
  const idle = balancer('waits', []);
  const both = ['haproxy', 'keepalived'];

  test.each([
    ['all together where nothing serves', [idle, idle, idle], true],
    ['one by one where a proxy runs', [idle, idle, balancer('waits', ['haproxy'])], false],
    ['one by one where keepalived runs', [idle, balancer('waits', ['keepalived']), idle], false],
    ['one by one where it runs as another unit', [balancer('waits', ['provision-etcd-keepalived']), idle, idle], false],
    ['one by one where the address is held, whoever holds it', [idle, balancer('holds', []), idle], false],
  ])('%s', async (_, answers, together) => {
    expect((await order('vip-holder-last: etcd', answers))?.together).toBe(together);
  });

  const [holds, waits] = [balancer('holds', both), balancer('waits', both)];

  test.each([
    ['the first holds: it comes last', [holds, waits, waits], ['etcd-2', 'etcd-3', 'etcd-1']],
    ['the second holds', [waits, holds, waits], ['etcd-1', 'etcd-3', 'etcd-2']],
    ['the third holds', [waits, waits, holds], ['etcd-1', 'etcd-2', 'etcd-3']],
    [
      'one that joins comes after the holder, whose peer it is not yet',
      [idle, holds, waits],
      ['etcd-3', 'etcd-2', 'etcd-1'],
    ],
    [
      'a proxy alone makes none that can take over',
      [balancer('waits', ['haproxy']), holds, waits],
      ['etcd-3', 'etcd-2', 'etcd-1'],
    ],
    [
      'where the holder has no other spare, one that is down comes first, and no second one: they would both take the address',
      [holds, idle, idle],
      ['etcd-2', 'etcd-1', 'etcd-3'],
    ],
    ['nobody holds', [idle, waits, idle], ['etcd-2', 'etcd-1', 'etcd-3']],
  ])('%s', async (_, answers, wanted) => {
    expect(await order('vip-holder-last: etcd', answers)).toEqual({ hosts: wanted, together: false });
  });

  test('one by one where a balancer is left out, which may serve', async () => {
    const probe = (): Probe => fakeProbe(idle);
    const ordered = await orderTable(SAMPLE_CLUSTER).get('vip-holder-last: etcd')?.(['etcd-1', 'etcd-2'], probe);
    expect(ordered).toEqual({ hosts: ['etcd-1', 'etcd-2'], together: false });
  });
});

describe('apiserver-ready-last', () => {
  const cluster: Cluster = {
    ...SAMPLE_CLUSTER,
    controlPlanes: ['cp-1', 'cp-2'].flatMap((host) => SAMPLE_CLUSTER.controlPlanes.map((each) => ({ ...each, host }))),
  };
  const argv = ['kube-apiserver', '--etcd-servers=https://10.0.0.1:2379'];
  const connected: FakeAnswers = apiservers([{ pid: 7, argv, connections: [{ address: '10.0.0.1', port: 2379 }] }]);
  const both: FakeAnswers = apiservers([
    { pid: 8, argv, connections: [] },
    { pid: 7, argv, connections: [{ address: '10.0.0.1', port: 2379 }] },
  ]);
  const loose: FakeAnswers = apiservers([{ pid: 7, argv, connections: [] }]);
  const none: FakeAnswers = apiservers([]);

  function apiservers(processes: readonly ApiserverProcess[]): FakeAnswers {
    return { 'apiserver-processes': { 'kube-apiserver': processes } };
  }

  test.each([
    ['one that serves comes last', ['cp-1', 'cp-2'], [connected, loose], ['cp-2', 'cp-1'], false],
    ['one by one where all serve', ['cp-1', 'cp-2'], [connected, connected], ['cp-1', 'cp-2'], false],
    ['together where none serves', ['cp-1', 'cp-2'], [none, loose], ['cp-1', 'cp-2'], true],
    ['one by one where an old process still serves', ['cp-1', 'cp-2'], [both, loose], ['cp-2', 'cp-1'], false],
    ['one by one where one is left out, which may serve', ['cp-2'], [connected, none], ['cp-2'], false],
  ])('%s', async (_, hosts, [first = {}, second = {}], wanted, together) => {
    const probe = (host: string): Probe => fakeProbe(host === 'cp-1' ? first : second);
    const ordered = await orderTable(cluster).get('apiserver-ready-last')?.(hosts, probe);
    expect(ordered).toEqual({ hosts: wanted, together });
  });

  test('one by one where one cannot be asked, which may serve', async () => {
    const lost = new RemoteError({ code: 'unreachable', host: 'cp-1', message: 'cp-1: no answer' });
    const probe = (host: string): Probe =>
      host === 'cp-1' ? { ...fakeProbe(none), ask: () => Promise.reject(lost) } : fakeProbe(none);
    const ordered = await orderTable(cluster).get('apiserver-ready-last')?.(['cp-1', 'cp-2'], probe);
    expect(ordered).toEqual({ hosts: ['cp-2', 'cp-1'], together: false });
  });
});

describe('joined-last', () => {
  const joined = (isJoined: boolean): FakeAnswers => ({ paths: { '/etc/kubernetes/kubelet.conf': isJoined } });
  const all = ['cp-1', 'worker-1'];

  test.each([
    ['a node that runs comes last', all, [joined(true), joined(false)], ['worker-1', 'cp-1'], false],
    ['together where none has joined', all, [joined(false), joined(false)], all, true],
    [
      'one by one where one is left out, which may be a node',
      ['worker-1'],
      [joined(true), joined(false)],
      ['worker-1'],
      false,
    ],
    ['one by one where one cannot be asked', all, [UNREACHABLE, joined(false)], ['worker-1', 'cp-1'], false],
  ])('%s', async (_, hosts, [first = {}, second = {}], wanted, together) => {
    const probe = (host: string): Probe => {
      if (!hosts.includes(host)) throw new Error(`${host} is asked, and is no host of the play`);
      return fakeProbe(host === 'cp-1' ? first : second);
    };
    const ordered = await orderTable(SAMPLE_CLUSTER).get('joined-last')?.(hosts, probe);
    expect(ordered).toEqual({ hosts: wanted, together });
  });
});

test('without a virtual IP the order is that of the inventory, and nobody is asked', async () => {
  const table = orderTable({ ...SAMPLE_CLUSTER, services: [] });
  const ask = (): never => {
    throw new Error('asked');
  };
  expect(await table.get('vip-holder-last: etcd')?.(HOSTS, ask)).toEqual({ hosts: HOSTS, together: false });
  expect(await table.get('leader-last')?.([], ask)).toEqual({ hosts: [], together: false });
});

test('the orders that a play can name', () => {
  expect([...orderTable(SAMPLE_CLUSTER).keys()]).toEqual([
    'inventory',
    'leader-last',
    'learner-first',
    'apiserver-ready-last',
    'joined-last',
    ...SERVICE_NAMES.map((name) => `vip-holder-last: ${name}`),
  ]);
});

test('inventory order asks nobody', async () => {
  expect(await order('inventory', [])).toEqual({ hosts: HOSTS, together: false });
});
