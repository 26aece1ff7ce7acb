import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { firewallLetsIn } from '../../../src/gates/firewall-lets-in.js';
import type { UnitState } from '../../../src/facts/unit-state.js';
import type { VrrpInstance } from '../../../src/facts/vrrp-instance.js';
import { NOT_INSTALLED, RUNNING } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_APISERVER, SAMPLE_SERVICE, withFirewall } from '../../support/sample-cluster.js';

const MEMBER = [2379, 2380].map((port) => `10.0.0.1 ${port}`);
const PORTS = [...MEMBER, '10.0.0.100 2379'];
const ETCD = '/etc/keepalived/keepalived.conf';
const APISERVER = '/etc/keepalived/provision/kube-apiserver.conf';

interface Shown {
  /** Keys of ports that it can connect to. */
  readonly open?: readonly string[];
  /** Virtual IPs that it holds. */
  readonly vips?: readonly string[];
  /** `advert 100` or `knock 2380` → who was let in with it. */
  readonly came?: Readonly<Record<string, readonly string[]>>;
  readonly keepalived?: UnitState;
  readonly listening?: boolean;
  readonly running?: VrrpInstance | undefined;
}

const HEARD = { 'advert 100': ['10.0.0.2'] };

/** A balancer of etcd, and where the test has both services, of the API servers. */
function host(number: number, shown: Shown = {}): FakeAnswers {
  const { open = PORTS, vips = [], came = {}, keepalived = RUNNING, listening = true } = shown;
  const running = 'running' in shown ? shown.running : { routerId: 100, advertIntervalS: 1, addresses: [] };
  const own = { interface: 'eth0', address: `10.0.0.${number}`, prefixLength: 24 };
  const virtual = vips.map((address) => ({ interface: 'eth0', address, prefixLength: 32 }));
  const served = [2379, 2380].map((port) => [port, [{ address: '10.0.0.1', port, process: 'etcd' }]] as const);
  const own127 = [2379, 2380].map((port) => [port, [{ address: '127.0.0.1', port, process: 'etcd' }]] as const);
  const none = ['advert 100', 'advert 200', 'advert 7', 'knock 2379', 'knock 2380'].map((key) => [key, []] as const);
  return {
    'open-ports': Object.fromEntries(PORTS.map((key) => [key, open.includes(key)])),
    'host-addresses': { all: [own, ...virtual] },
    'source-addresses': Object.fromEntries([1, 2, 3, 100].map((far) => [`10.0.0.${far}`, `10.0.0.${number}`])),
    'let-in': { ...Object.fromEntries(none), ...came },
    'vrrp-instances': { [ETCD]: running, [APISERVER]: { routerId: 200, advertIntervalS: 1, addresses: [] } },
    listeners: Object.fromEntries<unknown>(listening ? served : own127),
    units: { keepalived, 'provision-kube-apiserver-keepalived': keepalived },
  };
}

const VIP = ['10.0.0.100'];
const HOLDER = host(2, { vips: VIP });

async function ask(hosts: Readonly<Record<string, FakeAnswers>>, cluster = withFirewall()) {
  const all = { 'etcd-1': host(1, { came: HEARD }), 'etcd-2': HOLDER, 'etcd-3': host(3), 'cp-1': host(11), ...hosts };
  const input = gateInput(fakeProbes(all), { batch: ['etcd-1'], when: 'action' });
  return firewallLetsIn(cluster).check(input);
}

describe('a new firewall is kept', () => {
  test.each([
    ['all that need the host come in', {}],
    ['the host holds the address itself', { 'etcd-1': host(1, { vips: VIP }), 'etcd-2': host(2) }],
    [
      'the virtual IP is still to be set up',
      { 'etcd-1': host(1, { keepalived: NOT_INSTALLED }), 'etcd-2': host(2, { keepalived: NOT_INSTALLED }) },
    ],
    ['a host is away', { 'etcd-3': UNREACHABLE }],
    ['another one holds the address, which does not answer', { 'cp-1': host(11, { open: MEMBER }) }],
    [
      'nobody listens, for its etcd is down, and each was let in',
      {
        ...Object.fromEntries(
          [2, 3, 11].map((far) => [
            far === 11 ? 'cp-1' : `etcd-${far}`,
            host(far, { open: [], vips: far === 2 ? VIP : [] }),
          ]),
        ),
        'etcd-1': host(1, {
          listening: false,
          came: {
            ...HEARD,
            'knock 2379': ['10.0.0.2', '10.0.0.3', '10.0.0.11'],
            'knock 2380': ['10.0.0.2', '10.0.0.3'],
          },
        }),
      },
    ],
    [
      'its virtual router id is to change later in the run',
      {
        'etcd-1': host(1, {
          came: { 'advert 7': ['10.0.0.2'] },
          running: { routerId: 7, advertIntervalS: 1, addresses: [] },
        }),
      },
    ],
    [
      'what it runs with is not known, and it hears what the inventory says',
      { 'etcd-1': host(1, { came: HEARD, running: undefined }) },
    ],
  ])('where %s', async (_, hosts) => {
    expect(await ask(hosts)).toEqual({ open: true });
  });
});

const DEAF = 'etcd-1 hears no advert of etcd-2, which holds the virtual IP of etcd (virtual router id 100)';

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
      { 'etcd-1': host(1, { vips: VIP }), 'etcd-2': host(2), 'cp-1': host(11, { open: MEMBER }) },
      "cp-1 can't connect to 10.0.0.100 on etcd-1 on port 2379",
    ],
    ['it hears no advert', { 'etcd-1': host(1) }, DEAF],
    ['it hears another than the holder', { 'etcd-1': host(1, { came: { 'advert 100': ['10.0.0.3'] } }) }, DEAF],
    [
      'it hears the holder for another virtual IP',
      { 'etcd-1': host(1, { came: { 'advert 200': ['10.0.0.2'] } }) },
      DEAF,
    ],
    [
      'somebody listens, and who is kept out was let in before',
      {
        'etcd-3': host(3, { open: ['10.0.0.1 2379'] }),
        'etcd-1': host(1, { came: { ...HEARD, 'knock 2380': ['10.0.0.3'] } }),
      },
      "etcd-3 can't connect to etcd-1 on port 2380",
    ],
    [
      'nobody listens, and who comes was not let in',
      {
        'etcd-3': host(3, { open: ['10.0.0.1 2379'] }),
        'etcd-1': host(1, { came: { ...HEARD, 'knock 2380': ['10.0.0.2'] }, listening: false }),
      },
      "etcd-3 can't connect to etcd-1 on port 2380",
    ],
    [
      'it took the address, for it heard nobody',
      { 'etcd-1': host(1, { vips: VIP }) },
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

describe('two virtual IPs on the same hosts', () => {
  const both = withFirewall([], { services: [SAMPLE_SERVICE, SAMPLE_APISERVER] });
  const holders = { 'etcd-2': HOLDER, 'etcd-3': host(3, { vips: ['10.0.0.200'] }) };

  test('each is heard from who holds it', async () => {
    const came = { ...HEARD, 'advert 200': ['10.0.0.3'] };
    expect(await ask({ ...holders, 'etcd-1': host(1, { came }) }, both)).toEqual({ open: true });
  });

  test('neither proves the other', async () => {
    expect(await ask({ ...holders, 'etcd-1': host(1, { came: HEARD }) }, both)).toMatchObject({
      open: false,
      reason: 'etcd-1 hears no advert of etcd-3, which holds the virtual IP of kube-apiserver (virtual router id 200)',
    });
  });
});

test.each(['0.0.0.0', '*', '::', '10.0.0.1'])(
  'who listens at %s would have heard whoever was let in',
  async (address) => {
    const listens = (at: string): FakeAnswers => ({
      ...host(1, { came: { ...HEARD, 'knock 2380': ['10.0.0.3'] } }),
      listeners: Object.fromEntries([2379, 2380].map((port) => [port, [{ address: at, port, process: 'etcd' }]])),
    });
    const hosts = { 'etcd-3': host(3, { open: ['10.0.0.1 2379'] }) };
    expect(await ask({ ...hosts, 'etcd-1': listens(address) })).toMatchObject({
      open: false,
      reason: "etcd-3 can't connect to etcd-1 on port 2380",
    });
    expect(await ask({ ...hosts, 'etcd-1': listens('10.0.0.9') })).toEqual({ open: true });
  },
);

test('a host that hears adverts rarely is waited for as long as it may hear none', async () => {
  const rare = host(1, { running: { routerId: 100, advertIntervalS: 20, addresses: [] } });
  expect(await ask({ 'etcd-1': rare })).toMatchObject({ open: false, reason: DEAF, patienceMs: 65_000 });
  // Whoever can't connect is not let in by waiting.
  expect(await ask({ 'etcd-1': rare, 'cp-1': host(11, { open: [] }) })).not.toHaveProperty('patienceMs');
});

describe('a host that takes logins and hangs', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  /** Hosts of which one answers nothing. */
  async function askWithHung(hung: string, hosts: Readonly<Record<string, FakeAnswers>>) {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] });
    const all = { 'etcd-1': host(1, { came: HEARD }), 'etcd-2': HOLDER, 'etcd-3': host(3), 'cp-1': host(11), ...hosts };
    const probes = fakeProbes(all);
    const input = gateInput(probes, { batch: ['etcd-1'], when: 'action' });
    const never = async <V>(): Promise<V> => new Promise<V>(() => undefined);
    const answer = firewallLetsIn(withFirewall()).check({
      ...input,
      probe: (name) => (name === hung ? { ...input.probe(name), ask: never } : input.probe(name)),
    });
    // Long before the timer of the host takes the rules back.
    await jest.advanceTimersByTimeAsync(12_000);
    await new Promise(setImmediate);
    const late = new Promise((resolve) =>
      setImmediate(() => {
        resolve('late');
      }),
    );
    return Promise.race([answer, late]);
  }

  test('is left out, as one that is away', async () => {
    expect(await askWithHung('etcd-3', {})).toEqual({ open: true });
    expect(await askWithHung('cp-1', {})).toEqual({ open: true });
  });

  test('proves nothing for those that answer', async () => {
    expect(await askWithHung('etcd-3', { 'cp-1': host(11, { open: [] }) })).toMatchObject({
      open: false,
      reason: "cp-1 can't connect to etcd-1 on port 2379",
    });
    expect(await askWithHung('etcd-2', {})).toMatchObject({
      open: false,
      reason: expect.stringContaining('no balancer'),
    });
  });
});
