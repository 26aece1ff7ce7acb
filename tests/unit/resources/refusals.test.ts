import { describe, expect, test } from '@jest/globals';
import { changed, UNCHANGED, type Resource } from '../../../src/model/change.js';
import { listenAddress } from '../../../src/resources/listen-address.js';
import { virtualIp, type VirtualIpOptions } from '../../../src/resources/virtual-ip.js';
import { vrrpVersion } from '../../../src/resources/vrrp-version.js';
import { fakeProbe, fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { sampleBalancer } from '../../support/sample-cluster.js';
import { expectRefused } from '../../support/refusals.js';

const planned = (kind: 'change' | 'unchanged'): Resource => ({
  address: 'file:/etc/default/etcd',
  paths: [],
  plan: () =>
    Promise.resolve(
      kind === 'change'
        ? changed({ summary: '', diff: [], actions: [], effect: 'change', disruptive: false })
        : UNCHANGED,
    ),
});

describe('listenAddress', () => {
  const wanted = (freedBy: Resource): Resource =>
    listenAddress({
      ...{ address: '10.0.0.100', port: 2379, portVariable: 'etcd_lb_port' },
      ...{ processes: ['haproxy'], leaving: { process: 'etcd', by: [freedBy] } },
    });
  const found = (address: string, process: string): FakeAnswers => ({
    listeners: { 2379: [{ address, port: 2379, process }] },
  });

  test.each([
    ['HAProxy itself', found('10.0.0.100', 'haproxy'), 'unchanged'],
    ['etcd on the node’s own address', found('10.0.0.1', 'etcd'), 'unchanged'],
    ['an etcd that this run moves away', found('0.0.0.0', 'etcd'), 'change'],
  ] as const)('%s is no stranger', async (_, answers, kind) => {
    expect(await wanted(planned(kind)).plan(fakeProbe(answers))).toEqual(UNCHANGED);
  });

  test('a stranger is refused also where etcd moves away in the same run', async () => {
    for (const process of ['nginx', '', 'etcd-proxy'])
      await expect(wanted(planned('change')).plan(fakeProbe(found('0.0.0.0', process)))).rejects.toMatchObject({
        code: 'address-taken',
      });
  });

  test('all strangers are named', async () => {
    const two = [
      { address: '0.0.0.0', port: 2379, process: 'nginx' },
      { address: '10.0.0.100', port: 2379, process: '' },
    ];
    const resource = wanted(planned('unchanged'));
    expect(resource.address).toBe('listen:10.0.0.100:2379');
    await expect(resource.plan(fakeProbe({ listeners: { 2379: two } }))).rejects.toThrow(
      'haproxy cannot listen on 10.0.0.100:2379: nginx on 0.0.0.0:2379, a process on 10.0.0.100:2379 listens there already',
    );
  });

  test.each([
    ['0.0.0.0', 'etcd', 'etcd on 0.0.0.0:2379'],
    ['*', 'etcd', 'etcd on *:2379'],
    ['::', '', 'a process on [::]:2379'],
    ['10.0.0.100', 'nginx', 'nginx on 10.0.0.100:2379'],
  ])('%s of %s is refused', async (address, process, words) => {
    await expect(wanted(planned('unchanged')).plan(fakeProbe(found(address, process)))).rejects.toMatchObject({
      code: 'address-taken',
      message: expect.stringContaining(words),
      hint: expect.stringContaining('etcd_lb_port'),
    });
  });
});

describe('vrrpVersion', () => {
  const VIP = '10.0.0.100';
  const balancers = [sampleBalancer(1), sampleBalancer(2), sampleBalancer(3)];
  const { configFile, unit } = sampleBalancer(1).keepalived;
  type State = 'runs' | 'is starting' | 'is stopped';
  const host = (version: 2 | 3 | undefined, state: State, address = VIP): FakeAnswers => ({
    units: { [unit]: { active: state === 'runs', starting: state === 'is starting' } },
    'vrrp-instances': {
      [configFile]: {
        ...{ routerId: 100, advertIntervalS: 1, addresses: [address] },
        ...(version === undefined ? {} : { version }),
      },
    },
  });
  const bare: FakeAnswers = {
    units: { [unit]: { active: false, starting: false } },
    'vrrp-instances': { [configFile]: undefined },
  };

  async function plan(
    wanted: number,
    hosts: readonly FakeAnswers[],
    options: { readonly kind?: 'change' | 'unchanged'; readonly vip?: string } = {},
  ): Promise<unknown> {
    const { kind = 'change', vip = VIP } = options;
    const [own = sampleBalancer(1)] = balancers;
    const balancer = { ...own, keepalived: { ...own.keepalived, vrrpVersion: wanted } };
    const probes = fakeProbes(Object.fromEntries(hosts.map((answers, index) => [`etcd-${index + 1}`, answers])));
    const probe = probes.get('etcd-1');
    if (probe === undefined) throw new Error('no probe');
    const resource = vrrpVersion({ vip, variables: 'etcd_lb', balancer, balancers, configuration: planned(kind) });
    return resource.plan(probe);
  }

  test.each([
    ['bare hosts', 3, [bare, bare, bare]],
    ['bare hosts, one away', 3, [bare, bare, UNREACHABLE]],
    ['the others are stopped', 3, [host(2, 'runs'), host(undefined, 'is stopped'), host(2, 'is stopped')]],
    ['the others run with that version', 3, [host(2, 'runs'), host(3, 'runs'), host(3, 'is starting')]],
    ['the others run without a word of it, which is version 2', 2, [host(3, 'runs'), host(undefined, 'runs'), bare]],
    [
      'the others have another address',
      3,
      [host(2, 'runs'), host(2, 'runs', '10.0.0.10'), host(2, 'runs', '10.0.0.1')],
    ],
    ['one that is away, beside a file of that version', 3, [host(3, 'runs'), UNREACHABLE, host(3, 'runs')]],
  ] as const)('%s: version %i is taken up', async (_, wanted, hosts) => {
    expect(await plan(wanted, hosts)).toEqual(UNCHANGED);
  });

  test.each([
    ['all run with the other one', 3, [host(2, 'runs'), host(2, 'runs'), host(2, 'runs')], 'etcd-2'],
    [
      'only the last other one runs',
      3,
      [host(2, 'is stopped'), host(2, 'is stopped'), host(undefined, 'runs')],
      'etcd-3',
    ],
    ['one is being started', 3, [host(2, 'runs'), host(2, 'is starting'), host(2, 'is stopped')], 'etcd-2'],
    ['this host is new', 3, [bare, host(undefined, 'runs'), bare], 'etcd-2'],
    ['back again', 2, [host(3, 'runs'), host(2, 'runs'), host(3, 'runs')], 'etcd-3'],
    ['one is away, and this host has the other one', 3, [host(2, 'runs'), UNREACHABLE, host(3, 'runs')], 'etcd-2'],
    [
      'one is away, this host is new, and the third one has it',
      3,
      [bare, UNREACHABLE, host(2, 'is stopped')],
      'etcd-2',
    ],
  ] as const)('%s: %i is refused', async (_, wanted, hosts, named) => {
    await expect(plan(wanted, hosts)).rejects.toThrow(`on ${named} keepalived`);
    await expectRefused(plan(wanted, hosts), 'vrrp-version-changes');
  });

  test('the hint has the version that is there, and both ways on', async () => {
    await expect(plan(3, [bare, host(2, 'runs'), bare])).rejects.toMatchObject({
      message:
        'keepalived_vrrp_version 3 on etcd-1: on etcd-2 keepalived runs with VRRP version 2 for the virtual IP 10.0.0.100, and neither hears the other: two hosts would have the address at once',
      hint: 'set keepalived_vrrp_version to 2, or give etcd_lb_ip another free address in the same run\nor go without the address for a moment: ssh etcd-2 sudo systemctl stop keepalived, then apply at once',
    });
  });

  test('IPv6 has one version, and a file that stays needs no question', async () => {
    expect(await plan(3, [bare, host(2, 'runs'), bare], { vip: '2001:db8::100' })).toEqual(UNCHANGED);
    expect(await plan(3, [UNREACHABLE, UNREACHABLE, UNREACHABLE], { kind: 'unchanged' })).toEqual(UNCHANGED);
  });
});

describe('virtualIp', () => {
  const balancers = [sampleBalancer(1), sampleBalancer(2)];
  const [balancer = sampleBalancer(1)] = balancers;
  const [OURS, THEIRS] = [['42:8f:a4:a8:70:e2'], ['42:8f:a4:a8:70:e3']];
  const FILE = balancer.keepalived.configFile;
  const HOSTS = { near: [], far: [], group: 'etcd_lb_former', file: 'inventory.yaml' };
  const ALONE = { others: HOSTS, formerBalancers: [], configuration: planned('unchanged'), answers: {} };

  function host(number: number, extra: readonly string[], given: FakeAnswers = {}): FakeAnswers {
    const addresses = [
      { interface: 'lo', address: '127.0.0.1', prefixLength: 8 },
      { interface: 'eth0', address: `10.0.0.${number}`, prefixLength: 24 },
      ...extra.map((address) => ({ interface: 'eth0', address, prefixLength: 32 })),
    ];
    const files = { 'file-states': { [FILE]: { kind: 'file' } } };
    return { 'host-addresses': { all: addresses }, 'hardware-addresses': { all: OURS }, ...files, ...given };
  }
  async function plan(
    vip: string,
    one: FakeAnswers,
    interfaceName?: string,
    others: Pick<VirtualIpOptions, 'others' | 'formerBalancers' | 'configuration'> & {
      readonly answers: FakeAnswers;
    } = ALONE,
  ): Promise<unknown> {
    const keepalived = { ...balancer.keepalived, interface: interfaceName };
    const probe = fakeProbes({
      'etcd-1': one,
      'etcd-2': host(2, [], { 'hardware-addresses': { all: THEIRS } }),
      other: others.answers,
    }).get('etcd-1');
    if (probe === undefined) throw new Error('no probe');
    const options = { vip, variables: 'etcd_lb', balancer: { ...balancer, keepalived }, balancers, ...others };
    const resource = virtualIp(options);
    expect(resource.address).toBe(`virtual-ip:${vip}`);
    return resource.plan(probe);
  }
  const answersFor = (hardware: string | undefined): FakeAnswers => ({
    'addresses-in-use': { '10.0.0.100': hardware },
  });

  test.each([
    ['a balancer holds it: no one else is asked', host(1, ['10.0.0.100'])],
    ['nobody answers for it', host(1, [], answersFor(undefined))],
    ['a balancer gave it up just now', host(1, [], answersFor(OURS[0]))],
    ['another balancer gave it up just now', host(1, [], answersFor(THEIRS[0]))],
  ])('%s', async (_, one) => {
    expect(await plan('10.0.0.100', one)).toEqual(UNCHANGED);
  });

  test.each(['10.0.0.100', '2001:db8::100'])('%s is in a network of its own family', async (vip) => {
    const both = {
      all: [
        { interface: 'eth0', address: '2001:db8::1', prefixLength: 64 },
        { interface: 'eth0', address: '10.0.0.1', prefixLength: 24 },
      ],
    };
    const one = host(1, [], { 'addresses-in-use': { [vip]: undefined }, 'host-addresses': both });
    expect(await plan(vip, one)).toEqual(UNCHANGED);
  });

  test.each<[string, string, FakeAnswers, string | undefined, string, string]>([
    [
      'of another network, though it is on the interface already',
      '10.9.0.100',
      host(1, ['10.9.0.100', '10.8.0.1'], { 'addresses-in-use': { '10.9.0.100': undefined } }),
      undefined,
      'the virtual IP 10.9.0.100 is in no network of eth0 on etcd-1 (10.0.0.1/24, 10.8.0.1/32): no host there would find it',
      'set etcd_lb_ip to a free address of that network, or keepalived_interface to another interface',
    ],
    [
      'of the network of another interface',
      '10.0.0.100',
      host(1, []),
      'lo',
      'the virtual IP 10.0.0.100 is in no network of lo on etcd-1 (127.0.0.1/8): no host there would find it',
      'set etcd_lb_ip to a free address of that network, or keepalived_interface to another interface',
    ],
    [
      'that is the last of its network',
      '10.0.0.255',
      host(1, []),
      undefined,
      'the virtual IP 10.0.0.255 is the broadcast address of the network of eth0 (10.0.0.1/24): no host can hold it',
      'set etcd_lb_ip to a free address of that network',
    ],
  ])('an address %s is refused with all that a person needs', async (_, vip, one, name, message, hint) => {
    await expect(plan(vip, one, name)).rejects.toMatchObject({ code: 'virtual-ip-outside', message, hint });
  });

  test('a stranger that answers for it is refused', async () => {
    await expect(plan('10.0.0.100', host(1, [], answersFor('de:ad:be:ef:00:01')))).rejects.toMatchObject({
      code: 'virtual-ip-taken',
      message: expect.stringContaining('de:ad:be:ef:00:01'),
    });
  });

  describe('a host that left the balancers', () => {
    const VIP = '10.0.0.100';
    const held = host(1, [VIP]);
    const config = (vip: string): string => `virtual_ipaddress {\n  ${vip}/32 dev eth0\n}\n`;
    const former = (text: string | undefined, isActive: boolean, extra: readonly string[] = []): FakeAnswers =>
      host(9, extra, {
        units: { keepalived: { active: isActive, enabled: isActive } },
        'file-contents': { [FILE]: text },
      });
    const near = (answers: FakeAnswers): Parameters<typeof plan>[3] => ({
      ...ALONE,
      others: { ...HOSTS, near: ['other'] },
      answers,
    });
    const far = (kind: 'change' | 'unchanged'): Parameters<typeof plan>[3] => ({
      ...ALONE,
      others: { ...HOSTS, far: ['other'] },
      configuration: planned(kind),
      answers: former(config(VIP), true),
    });

    test.each([
      ['and may take the address', former(config(VIP), true), /^other runs keepalived, which may take/],
      ['and holds it', former(config(VIP), true, [VIP]), /^other holds the virtual IP/],
      ['and holds it without keepalived', former(undefined, false, [VIP]), /^other holds the virtual IP/],
    ])('%s is refused, with the lines that free it', async (_, answers, message) => {
      await expect(plan(VIP, held, undefined, near(answers))).rejects.toMatchObject({
        code: 'former-balancer',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(/add to inventory\.yaml:\netcd_lb_former:\n {2}hosts:\n {4}other:$/),
      });
    });

    test('is written as a section of an INI inventory', async () => {
      const others = { ...HOSTS, near: ['other'], file: 'hosts' };
      const answers = former(config(VIP), true);
      await expect(plan(VIP, held, undefined, { ...ALONE, others, answers })).rejects.toMatchObject({
        hint: expect.stringMatching(/add to hosts:\n\[etcd_lb_former\]\nother$/),
      });
    });

    test('is no stranger while it is named as a former balancer, and answers', async () => {
      const formerBalancers = ['etcd-2', 'other'].map((name) => ({ ...sampleBalancer(3), host: name }));
      const named = { ...ALONE, formerBalancers };
      const free = host(1, [], answersFor('de:ad:be:ef:00:01'));
      const other = { 'hardware-addresses': { all: ['de:ad:be:ef:00:01'] } };
      expect(await plan(VIP, free, undefined, { ...named, answers: other })).toEqual(UNCHANGED);
      await expect(plan(VIP, free, undefined, { ...named, answers: UNREACHABLE })).rejects.toMatchObject({
        code: 'virtual-ip-taken',
        hint: expect.stringContaining('a former load balancer must answer while it is freed'),
      });
    });

    test.each([
      ['whose keepalived is stopped and disabled', former(config(VIP), false)],
      ['whose keepalived has another address', former(config('10.0.0.10'), true)],
      ['whose keepalived has it in a comment', former(`# ${VIP}\n`, true)],
      ['that does not answer', {}],
    ])('%s is accepted', async (_, answers) => {
      expect(await plan(VIP, held, undefined, near(answers))).toEqual(UNCHANGED);
    });

    test('is asked without a part in the cluster only where the balancers change, or a stranger has it', async () => {
      expect(await plan(VIP, held, undefined, far('unchanged'))).toEqual(UNCHANGED);
      await expectRefused(plan(VIP, held, undefined, far('change')), 'former-balancer');
      const strange = host(1, [], answersFor('de:ad:be:ef:00:01'));
      await expectRefused(plan(VIP, strange, undefined, far('unchanged')), 'former-balancer');
    });
  });

  test('an address of another network is refused', async () => {
    await expect(plan('10.9.0.100', host(1, []))).rejects.toMatchObject({
      code: 'virtual-ip-outside',
      message: expect.stringContaining('in no network of eth0 on etcd-1 (10.0.0.1/24)'),
    });
  });

  test.each([
    ['10.0.0.0', 'network'],
    ['10.0.0.255', 'broadcast'],
  ])('%s, the %s address, is refused', async (vip, kind) => {
    await expect(plan(vip, host(1, []))).rejects.toThrow(`is the ${kind} address of the network of eth0 (10.0.0.1/24)`);
  });

  test('an interface whose name a host made up is no interface', async () => {
    const lying = { all: [{ interface: "{{hostvars['etcd-2'].x}}", address: '10.0.0.1', prefixLength: 24 }] };
    await expect(plan('10.0.0.100', { ...host(1, []), 'host-addresses': lying })).rejects.toMatchObject({
      code: 'no-interface',
    });
  });

  test('an interface that is not there is refused', async () => {
    await expect(plan('10.0.0.100', host(1, []), 'ens9')).rejects.toMatchObject({
      code: 'no-interface',
      message: expect.stringContaining('it has lo, eth0'),
    });
  });
});
