import { describe, expect, test } from '@jest/globals';
import { fileLocks } from '../../../src/facts/file-locks.js';
import { httpsKey, type HttpsAnswer } from '../../../src/facts/https-answer.js';
import type { EtcdStatus } from '../../../src/facts/etcd-status.js';
import { apiserverReady } from '../../../src/gates/apiserver-ready.js';
import { aptUnlocked } from '../../../src/gates/apt-unlocked.js';
import { allBackendsUp } from '../../../src/gates/backends-up.js';
import { directQuestion, etcdAnswersDirectly } from '../../../src/gates/etcd-answers-directly.js';
import { etcdCanSpareBatch, etcdHealthy } from '../../../src/gates/etcd-healthy.js';
import { gateHosts } from '../../../src/gates/gate-hosts.js';
import { askByHand, memberJournal } from '../../../src/gates/judge-members.js';
import { judgeHolders, keepalivedOneHolder } from '../../../src/gates/keepalived-one-holder.js';
import { gateTable } from '../../../src/gates/table.js';
import { vipAnswersControlPlanes } from '../../../src/gates/vip-answers-control-planes.js';
import { exchangeProblem, proxyJournal, vipAnswers, vipForwards } from '../../../src/gates/vip-answers.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { healthFiles, SERVICE_NAMES } from '../../../src/model/virtual-service.js';
import { etcdHost, healthy, SILENT, SOUND_PAIR, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../../support/sample-cluster.js';

// A gate is about all of its hosts: what is wrong with a later one, or a second thing on one, is neither missed nor hidden.

const TODAY = new Date('2026-12-01T12:00:00Z');
const [CONTROL_PLANE] = SAMPLE_CLUSTER.controlPlanes;
if (CONTROL_PLANE === undefined) throw new Error('the sample has no control plane');
/** Two control planes; and members whose units are named after their hosts. */
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  controlPlanes: [CONTROL_PLANE, { ...CONTROL_PLANE, host: 'cp-2' }],
  members: [1, 2, 3].map((number) => ({ ...sampleMember(number), unit: `etcd-${number}` })),
};
/** Balancers whose units are named after their hosts. */
const SERVICE = {
  ...SAMPLE_SERVICE,
  balancers: SAMPLE_SERVICE.balancers.map((each) => ({
    ...each,
    proxy: { ...each.proxy, unit: `proxy-of-${each.host}` },
    keepalived: { ...each.keepalived, unit: `vrrp-of-${each.host}` },
  })),
};

describe('the gates of a cluster', () => {
  const names = [
    'etcd-can-spare-batch',
    'etcd-keeps-quorum-without-batch',
    'etcd-healthy',
    'etcd-healthy-but-for-space',
    'etcd-healthy-but-for-stopped',
    'etcd-has-room',
    'etcd-serves-without-batch',
    'etcd-learner-caught-up',
    'former-members-may-leave',
    'former-nodes-may-leave',
    'peers-take-writes',
    ...SERVICE_NAMES.flatMap((service) =>
      [
        ...['backends-up', 'batch-backends-up', 'backends-named', 'former-balancers-freed', 'keepalived-one-holder'],
        ...['vip-can-spare-batch', 'vip-answers', 'vip-forwards'],
        ...['vip-answers-control-planes', 'vip-answers-kubeconfigs'],
      ].map((gate) => `${gate}: ${service}`),
    ),
    'etcd-answers-directly',
    'apiserver-ready',
    'apiserver-can-spare-batch',
    'apiserver-can-spare-batch-but-for-lost',
    'controllers-ready',
    'kubelet-ready',
    'runtime-ready',
    'kube-proxy-settled',
    'firewall-lets-in',
    'apt-unlocked',
    'host-rebooted',
  ];

  test('have these names, and so long to open', () => {
    const gates = gateTable(SAMPLE_CLUSTER, () => TODAY);
    expect([...gates].map(([name, gate]) => [name, gate.name, gate.deadlineMs / 1000])).toEqual(
      names.map((name) => {
        const slow = [
          'etcd-can-spare-batch',
          'etcd-keeps-quorum-without-batch',
          'etcd-healthy',
          'etcd-healthy-but-for-space',
          'etcd-healthy-but-for-stopped',
          'etcd-serves-without-batch',
          'etcd-learner-caught-up',
          'peers-take-writes',
        ];
        if ([...slow, 'apiserver-can-spare-batch-but-for-lost'].includes(name)) return [name, name, 180];
        if (['apiserver-ready', 'kubelet-ready', 'runtime-ready', 'backends-named: etcd'].includes(name))
          return [name, name, 180];
        // A minute a node.
        if (name === 'kube-proxy-settled' || name === 'controllers-ready') return [name, name, 120];
        if (name === 'apt-unlocked') return [name, name, 600];
        // Large servers test their memory.
        if (name === 'host-rebooted') return [name, name, 1200];
        // Its host takes the rules back soon after.
        if (name === 'firewall-lets-in') return [name, name, 15];
        // Waiting frees nobody.
        if (name === 'former-balancers-freed: etcd') return [name, name, 0];
        return [name, name, name.endsWith(': etcd') || !name.includes(':') ? 60 : 0];
      }),
    );
  });

  test('of a service that the inventory has not are open, and say why', async () => {
    const gates = gateTable({ ...SAMPLE_CLUSTER, services: [] }, () => TODAY);
    expect([...gates.keys()]).toEqual(names);
    expect(await gates.get('backends-up: etcd')?.check(gateInput(new Map()))).toEqual({
      open: true,
      note: 'there is no virtual IP of etcd',
    });
  });

  test('ask the hosts of the batch that are theirs, and all of theirs where it has none', () => {
    const candidates = ['a', 'b', 'c'].map((host) => ({ host }));
    expect(gateHosts(['c', 'a', 'x'], candidates)).toEqual(['a', 'c']);
    expect(gateHosts(['x'], candidates)).toEqual(['a', 'b', 'c']);
    expect(gateHosts([], candidates)).toEqual(['a', 'b', 'c']);
  });
});

describe('apiserver-ready', () => {
  const WANTED = '--etcd-servers=https://etcd:2379';
  const running = { pid: 1, argv: ['kube-apiserver', WANTED], connections: [] };
  const host = (processes: readonly object[], answer: object = { kind: 'answer', status: 200, body: 'ok' }) => ({
    'apiserver-processes': { 'kube-apiserver': processes },
    'https-answers': { [httpsKey({ url: 'https://127.0.0.1:6443/readyz' })]: answer },
  });
  const check = async (one: FakeAnswers, two: FakeAnswers, wanted: readonly string[] = [WANTED]) =>
    apiserverReady(CLUSTER).check(
      gateInput(fakeProbes({ 'cp-1': one, 'cp-2': two }), {
        batch: ['cp-1', 'cp-2'],
        arguments: { arguments: [...wanted] },
      }),
    );
  const ending = host([
    running,
    { pid: 2, argv: ['kube-apiserver', '--etcd-servers=https://old:2379'], connections: [] },
  ]);
  const unready = host([running], { kind: 'answer', status: 500, body: '[-]etcd failed\n[+]ping ok\n[-]log failed' });

  test('is as patient as the most patient reason, whichever host has it', async () => {
    for (const pair of [
      [ending, unready],
      [unready, ending],
    ] as const)
      expect(await check(...pair)).toMatchObject({ open: false, patienceMs: 30_000 });
    expect(await check(unready, unready)).toMatchObject({ patienceMs: 0 });
  });

  test.each([
    [host([]), 0],
    [host([{ ...running, argv: ['kube-apiserver'] }]), 0],
    [host([running], { kind: 'failure', reason: 'x' }), 0],
    [ending, 30_000],
  ])('waits for nothing that only gets better by hand: %#', async (one, patienceMs) => {
    expect(await check(one, host([running]))).toMatchObject({
      open: false,
      patienceMs,
      next: 'ssh cp-1 sudo crictl ps -a --name kube-apiserver',
    });
  });

  test('is not patient with a process that has lost its etcd', async () => {
    const argv = ['kube-apiserver', '--etcd-servers=https://10.0.0.1:2379'];
    expect(await check(host([{ ...running, argv }]), host([{ ...running, argv }]), argv.slice(1))).toMatchObject({
      reason: expect.stringContaining('no connection') as unknown,
      patienceMs: 0,
    });
  });

  test('tells every failed check, else what was said, in at most 200 characters', async () => {
    const said = async (body: string): Promise<string> => {
      const answer = await check(host([running], { kind: 'answer', status: 500, body }), host([running]));
      return answer.open ? '' : answer.reason;
    };
    expect(await said('[-]etcd failed\n[+]ping ok\n[-]log failed')).toBe(
      'cp-1: /readyz answers 500: [-]etcd failed, [-]log failed',
    );
    expect(await said('no check')).toBe('cp-1: /readyz answers 500: no check');
    expect(await said('x'.repeat(201))).toBe(`cp-1: /readyz answers 500: ${'x'.repeat(200)}`);
  });
});

test('apt-unlocked asks every host of the batch', async () => {
  const locks = (held: string) => ({
    [fileLocks.name]: Object.fromEntries(
      ['dpkg/lock-frontend', 'dpkg/lock', 'apt/lists/lock'].map((path) => [
        `/var/lib/${path}`,
        path === held ? 'apt-get (pid 7)' : undefined,
      ]),
    ),
  });
  const withCache = (held: string) => ({
    [fileLocks.name]: { ...locks(held)[fileLocks.name], '/var/cache/apt/archives/lock': undefined },
  });
  const probes = fakeProbes({ a: withCache(''), b: withCache('dpkg/lock') });
  expect(await aptUnlocked().check(gateInput(probes, { batch: ['a', 'b'] }))).toEqual({
    open: false,
    reason: 'apt-get (pid 7) on b holds /var/lib/dpkg/lock',
    next: 'ssh b sudo fuser -v /var/lib/dpkg/lock',
  });
});

describe('backends-up', () => {
  const down = (...names: readonly string[]) => ({
    'haproxy-servers': {
      '23790 etcd': [1, 2, 3].map((number) => {
        const name = `m${number}`;
        return names.includes(name) ? { name, status: 'DOWN', check: 'L4CON' } : { name, status: 'UP', check: 'L7OK' };
      }),
    },
  });

  test('names every backend that is down on every balancer of the batch, and where to look first', async () => {
    const probes = fakeProbes({ 'etcd-1': down(), 'etcd-2': down('m1', 'm3'), 'etcd-3': down('m1') });
    const batch = ['etcd-1', 'etcd-2', 'etcd-3'];
    expect(await allBackendsUp(SERVICE).check(gateInput(probes, { batch }))).toEqual({
      open: false,
      reason: [
        'HAProxy on etcd-2 finds m1 DOWN: L4CON',
        'HAProxy on etcd-2 finds m3 DOWN: L4CON',
        'HAProxy on etcd-3 finds m1 DOWN: L4CON',
      ].join('; '),
      next: 'ssh etcd-2 sudo journalctl -u proxy-of-etcd-2 -n 50',
    });
  });
});

describe('etcd-answers-directly', () => {
  const FILES = { ca: '/ca', certificate: '/crt', key: '/key' };
  const urls = ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'];
  const GOOD = { kind: 'answer', status: 200, body: '' };
  const DEAD = { kind: 'failure', reason: 'refused' };
  const host = (...answers: readonly object[]): FakeAnswers => ({
    'https-answers': Object.fromEntries(
      urls.map((url, index) => [httpsKey({ ...FILES, url: `${url}/health?exclude=NOSPACE` }), answers[index]]),
    ),
  });
  const check = async (one: FakeAnswers, two: FakeAnswers, cluster = CLUSTER) =>
    etcdAnswersDirectly(cluster).check(
      gateInput(fakeProbes({ 'cp-1': one, 'cp-2': two }), {
        batch: ['cp-1', 'cp-2'],
        arguments: directQuestion(urls, FILES),
      }),
    );

  test('must hold on each host by itself: one that hears nobody is not helped by what another hears', async () => {
    expect(await check(host(GOOD, GOOD), host(DEAD, DEAD))).toEqual({
      open: false,
      reason: 'from cp-2, https://10.0.0.1:2379 fails: refused; from cp-2, https://10.0.0.2:2379 fails: refused',
      next: 'ssh etcd-1 sudo journalctl -u etcd-1 -n 50',
    });
    expect(await check(host(GOOD, GOOD), host(DEAD, GOOD))).toEqual({
      open: true,
      note: [
        'works: cp-1 to https://10.0.0.1:2379, cp-1 to https://10.0.0.2:2379, cp-2 to https://10.0.0.2:2379',
        'from cp-2, https://10.0.0.1:2379 fails: refused',
      ].join('; '),
    });
  });

  test('knows nobody to ask where the cluster has no member', async () => {
    expect(await check(host(DEAD, DEAD), host(DEAD, DEAD), { ...CLUSTER, members: [] })).toMatchObject({ next: '' });
  });
});

describe('the gates of etcd', () => {
  /** A host of {@link CLUSTER}, whose unit has its own name. */
  const member = (number: number, given: Parameters<typeof etcdHost>[0]): FakeAnswers => {
    const answers = etcdHost(given);
    return { ...answers, units: { [`etcd-${number}`]: answers['units']?.['etcd'] } };
  };
  const cluster = (...statuses: readonly Parameters<typeof etcdHost>[0][]) =>
    fakeProbes(Object.fromEntries(statuses.map((given, index) => [`etcd-${index + 1}`, member(index + 1, given)])));
  const well = (number: number, more: Parameters<typeof healthy>[1] = {}) => ({ status: healthy(number, more) });
  const down = { status: SILENT, unit: STOPPED };
  const lost = { ...SOUND_PAIR, key: undefined };
  const gate = etcdHealthy(CLUSTER, () => TODAY);
  const spare = etcdCanSpareBatch(CLUSTER, () => TODAY);

  test('name every member that is not started, every fault of each, and look at the first', async () => {
    const answer = await gate.check(
      gateInput(cluster(well(1), down, { status: healthy(3, { isHealthy: false, leaderId: '0' }), unit: STOPPED })),
    );
    expect(answer).toEqual({
      open: false,
      reason: [
        'etcd is not started on etcd-2',
        'etcd is not started on etcd-3',
        'etcd-2 does not answer: connection refused',
        'etcd-3 cannot commit a proposal',
        'etcd-3 knows no leader',
        'members disagree on the leader: etcd-1 says 1, etcd-3 says 0',
      ].join('; '),
      next: 'ssh etcd-2 sudo journalctl -u etcd-2 -n 50',
    });
  });

  test('look at the first member that has a fault of its own; where none has, ask one that answers', async () => {
    const sick = cluster(well(1), well(2), well(3, { isHealthy: false }));
    expect(await gate.check(gateInput(sick))).toMatchObject({ next: 'ssh etcd-3 sudo journalctl -u etcd-3 -n 50' });
    const two = cluster(well(1), well(2, { isHealthy: false }), well(3, { isHealthy: false }));
    expect(await gate.check(gateInput(two))).toMatchObject({ next: 'ssh etcd-2 sudo journalctl -u etcd-2 -n 50' });
    const apart = cluster(well(1), well(2, { clusterId: '78' }), well(3));
    expect(await gate.check(gateInput(apart))).toMatchObject({ next: askByHand(CLUSTER, 'etcd-1', 'member list') });
    const alarm = { alarms: ['NOSPACE'] };
    const silent = await spare.check(gateInput(cluster(down, well(2, alarm), well(3)), { batch: ['etcd-1'] }));
    expect(silent).toMatchObject({ open: false, next: 'provision defrag INVENTORY' });
  });

  test('let every member of a batch be down, and no other', async () => {
    const five = {
      ...CLUSTER,
      members: [1, 2, 3, 4, 5].map((number) => ({ ...sampleMember(number), unit: `etcd-${number}` })),
    };
    const members = [1, 2, 3, 4, 5].map((each) => ({
      id: `${each}`,
      name: `m${each}`,
      peerUrls: [],
      isLearner: false,
    }));
    const up = (number: number) => ({ status: healthy(number, { members }) as EtcdStatus });
    const probes = cluster(down, up(2), up(3), down, up(5));
    const check = (...batch: readonly string[]) =>
      etcdCanSpareBatch(five, () => TODAY).check(gateInput(probes, { batch }));
    expect(await check('etcd-1', 'etcd-4')).toEqual({ open: true });
    expect(await check('etcd-1')).toMatchObject({ open: false, reason: 'etcd-4 does not answer: connection refused' });
  });

  test('excuse what broken certificates bring about, on each of several hosts, and say all of it', async () => {
    const mute = { status: SILENT, server: lost };
    expect(
      await spare.check(
        gateInput(cluster(mute, mute, well(3, { leaderId: '0', isHealthy: false })), { batch: ['etcd-3'] }),
      ),
    ).toEqual({
      open: true,
      note: 'etcd-1 has no /etc/etcd/pki/server.key; etcd-2 has no /etc/etcd/pki/server.key',
    });
    const unusual = { usualFailure: 'certificate has expired' };
    const noted = cluster(well(1, unusual), { status: SILENT, server: lost }, well(3, unusual));
    expect(await spare.check(gateInput(noted, { batch: ['etcd-2'] }))).toEqual({
      open: true,
      note: [
        'etcd-2 has no /etc/etcd/pki/server.key',
        'etcd-1 answers, but not as usual: certificate has expired',
        'etcd-3 answers, but not as usual: certificate has expired',
      ].join('; '),
    });
  });

  test('after a batch hold what is unusual against its own members only', async () => {
    const unusual = { usualFailure: 'certificate has expired' };
    const probes = cluster(well(1, unusual), well(2, unusual), well(3, unusual));
    expect(await gate.check(gateInput(probes, { batch: ['etcd-1', 'etcd-2'] }))).toMatchObject({
      open: false,
      reason: ['etcd-1', 'etcd-2']
        .map((host) => `${host} does not answer to its own client certificate: certificate has expired`)
        .join('; '),
    });
    expect(await gate.check(gateInput(probes, { batch: ['etcd-1'], when: 'before' }))).toEqual({
      open: true,
      note: ['etcd-1', 'etcd-2', 'etcd-3']
        .map((host) => `${host} answers, but not as usual: certificate has expired`)
        .join('; '),
    });
    const renewed = cluster(well(1), well(2, unusual), well(3));
    expect(await gate.check(gateInput(renewed, { batch: ['etcd-1'] }))).toEqual({
      open: true,
      note: 'etcd-2 answers, but not as usual: certificate has expired',
    });
  });

  test('do not excuse a member whose certificates are its own affair: those of an adopted one', async () => {
    const adopted = { ...CLUSTER, isManaged: false };
    const mute = cluster({ status: SILENT, peer: lost }, well(2), well(3));
    const check = async (of: Cluster) =>
      etcdCanSpareBatch(of, () => TODAY).check(gateInput(mute, { batch: ['etcd-2'] }));
    // Where an adopted member has its peer certificate is not known: it is not asked for.
    expect(await check(adopted)).toMatchObject({ open: false, reason: 'etcd-1 does not answer: connection refused' });
    expect(await check(CLUSTER)).toMatchObject({ open: true });
  });

  test('name the first fault of a member whose both pairs are broken', async () => {
    const mute = cluster(
      { status: SILENT, server: lost, peer: { ...SOUND_PAIR, certificate: undefined } },
      well(2),
      well(3),
    );
    expect(await spare.check(gateInput(mute, { batch: ['etcd-2'] }))).toEqual({
      open: true,
      note: 'etcd-1 has no /etc/etcd/pki/server.key',
    });
  });

  test('commands to type name the unit and the member of the host, and a usual one where it has none', () => {
    expect(memberJournal(CLUSTER, 'etcd-3')).toBe('ssh etcd-3 sudo journalctl -u etcd-3 -n 50');
    expect(memberJournal(CLUSTER, 'elsewhere')).toBe('ssh elsewhere sudo journalctl -u etcd -n 50');
    expect(askByHand(CLUSTER, 'etcd-2', 'member list')).toMatch(/^ssh etcd-2 .*member list/);
    expect(askByHand(CLUSTER, 'elsewhere', 'member list')).toBe(askByHand(CLUSTER, 'etcd-1', 'member list'));
    expect(askByHand({ ...CLUSTER, members: [] }, undefined, 'member list')).toBe('etcdctl member list');
  });
});

test.each([
  [[1, 1, 1], 60_000],
  [[1, 10, 2], 80_000],
  [[10, 1, 40], 320_000],
])('where adverts come every %j seconds, an election is waited for by the rarest', (intervals, wanted) => {
  const balancers = SERVICE.balancers.map((each, index) => ({
    ...each,
    keepalived: { ...each.keepalived, advertIntervalS: intervals[index] ?? 1 },
  }));
  expect(keepalivedOneHolder({ ...SERVICE, balancers }, CLUSTER).deadlineMs).toBe(wanted);
});

describe('the holder of the virtual IP', () => {
  const look = (number: number, isHolder: boolean, spoofed: readonly string[] = []) => ({
    host: `etcd-${number}`,
    isHolder,
    spoofed,
  });
  const journal = (number: number): string => `ssh etcd-${number} sudo journalctl -u vrrp-of-etcd-${number} -n 50`;
  test.each([
    [[look(1, false), look(2, false)], journal(1)],
    [[look(1, true), look(2, true), look(3, false)], journal(2)],
    [[look(1, true), look(2, false), look(3, true)], journal(3)],
    [[look(1, false), look(2, true, ['etcd-1'])], journal(2)],
  ])('is looked for in the log of the one that took it last: %#', (looks, next) => {
    expect(judgeHolders(looks, SERVICE)).toMatchObject({ open: false, next });
  });

  test('may be one that uses it rightly; nobody is suspected where there is no balancer', () => {
    expect(judgeHolders([look(1, false), look(2, true)], SERVICE)).toEqual({
      open: true,
      note: 'etcd-2 holds 10.0.0.100',
    });
    expect(judgeHolders([], { ...SERVICE, balancers: [] })).toMatchObject({ open: false, next: '' });
    // What another balancer would send from there is no matter while it does not hold the address.
    expect(judgeHolders([look(1, false, ['etcd-2']), look(2, true)], SERVICE)).toMatchObject({ open: true });
  });
});

describe('an answer through the virtual IP', () => {
  const files = healthFiles(SERVICE.health);
  const url = 'https://10.0.0.100:2379/health?exclude=NOSPACE';
  const bad: HttpsAnswer = { kind: 'failure', reason: 'refused' };
  const good: HttpsAnswer = { kind: 'answer', status: 200, body: '' };
  const host = (answer: HttpsAnswer): FakeAnswers => ({
    'https-answers': {
      [httpsKey({ url, ...files })]: answer,
      [httpsKey({ url, certificate: files.certificate, key: files.key })]: answer,
    },
  });

  test.each([
    ['vip-answers', vipAnswers(SERVICE, CLUSTER)],
    ['vip-forwards', vipForwards(SERVICE)],
  ])('(%s) is wanted from every balancer of the batch', async (_, gate) => {
    const probes = fakeProbes({ 'etcd-1': host(good), 'etcd-2': host(bad), 'etcd-3': host(bad) });
    expect(await gate.check(gateInput(probes))).toEqual({
      open: false,
      reason: `from etcd-2, ${url} fails: refused; from etcd-3, ${url} fails: refused`,
      next: 'ssh etcd-2 sudo journalctl -u proxy-of-etcd-2 -n 50',
    });
    expect(await gate.check(gateInput(probes, { batch: ['etcd-1'] }))).toEqual({ open: true });
  });

  test('that is bad is quoted in at most a hundred characters', () => {
    expect(exchangeProblem({ kind: 'answer', status: 503, body: 'x'.repeat(101) })).toBe(
      `answers 503: ${'x'.repeat(100)}`,
    );
    expect(exchangeProblem(good)).toBeUndefined();
  });

  test('is looked for in the log of a balancer: the host’s own, else the first', () => {
    expect(proxyJournal(SERVICE, 'etcd-3')).toBe('ssh etcd-3 sudo journalctl -u proxy-of-etcd-3 -n 50');
    expect(proxyJournal(SERVICE, 'cp-1')).toBe('ssh etcd-1 sudo journalctl -u proxy-of-etcd-1 -n 50');
    expect(proxyJournal({ ...SERVICE, balancers: [] }, 'cp-1')).toBe('');
  });

  test('with files that a control plane does not have: each is named', async () => {
    const path = CONTROL_PLANE.manifest;
    const manifest = `spec:\n  containers:\n  - name: kube-apiserver\n    command:\n    - kube-apiserver\n    - --etcd-servers=https://10.0.0.1:2379\n    - --etcd-cafile=/ca\n    - --etcd-certfile=/crt\n    - --etcd-keyfile=/key\n`;
    const probes = fakeProbes({
      'cp-1': {
        'file-contents': { [path]: manifest },
        paths: { '/ca': true, '/crt': false, '/key': false },
        'https-answers': { [httpsKey({ url, ca: '/ca', certificate: '/crt', key: '/key' })]: bad },
      },
    });
    expect(
      await vipAnswersControlPlanes(SERVICE, SAMPLE_CLUSTER).check(gateInput(probes, { batch: ['cp-1'] })),
    ).toEqual({
      open: false,
      reason: 'cp-1 has no /crt, /key, which its kube-apiserver shows or verifies by',
      next: 'ssh etcd-1 sudo journalctl -u proxy-of-etcd-1 -n 50',
    });
  });
});
