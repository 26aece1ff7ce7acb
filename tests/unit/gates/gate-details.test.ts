import { describe, expect, test } from '@jest/globals';
import { httpsKey, type HttpsAnswer } from '../../../src/facts/https-answer.js';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import { apiserverReady } from '../../../src/gates/apiserver-ready.js';
import { backendsNamed } from '../../../src/gates/backends-named.js';
import { backendsUp } from '../../../src/gates/backends-up.js';
import {
  agreementProblems,
  judgeMembers,
  type MemberAnswers,
  membersHeard,
  ownProblems,
  withoutNospace,
} from '../../../src/gates/judge-members.js';
import { etcdCanSpareBatch, etcdHealthy } from '../../../src/gates/etcd-healthy.js';
import { keepalivedOneHolder } from '../../../src/gates/keepalived-one-holder.js';
import { orderTable } from '../../../src/gates/orders.js';
import { vipAnswers } from '../../../src/gates/vip-answers.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { Probe } from '../../../src/model/remote.js';
import type { VirtualService } from '../../../src/model/virtual-service.js';
import { etcdHost, healthy, NO_DATA, RUNNING, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbe, fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import {
  SAMPLE_APISERVER,
  SAMPLE_CLUSTER,
  SAMPLE_SERVICE,
  sampleMember,
  withService,
} from '../../support/sample-cluster.js';

const GOOD: HttpsAnswer = { kind: 'answer', status: 200, body: 'ok' };
const BAD: HttpsAnswer = { kind: 'failure', reason: 'refused' };

describe('vip-answers', () => {
  const files = { ca: '/ca', certificate: '/crt', key: '/key' };
  const url = 'https://10.0.0.100:2379/health?exclude=NOSPACE';
  const [one] = SAMPLE_CLUSTER.controlPlanes;
  if (one === undefined) throw new Error('the sample has no control plane');
  const gate = vipAnswers(SAMPLE_SERVICE, { ...SAMPLE_CLUSTER, controlPlanes: [one, { ...one, host: 'cp-2' }] });
  const asked = (used: object, answer: HttpsAnswer): FakeAnswers => ({
    'https-answers': { [httpsKey({ url, ...used })]: answer },
  });

  test('asks the control plane of the action, whichever it is', async () => {
    const probes = fakeProbes({ 'cp-1': asked(files, GOOD), 'cp-2': asked(files, BAD) });
    const given = { arguments: { url, ...files } };
    expect(await gate.check(gateInput(probes, { batch: ['cp-1'], ...given }))).toEqual({ open: true });
    expect(await gate.check(gateInput(probes, { batch: ['cp-2'], ...given }))).toMatchObject({
      open: false,
      reason: `from cp-2, ${url} fails: refused`,
    });
  });

  test.each(['url', 'ca', 'certificate', 'key'])('asks as the balancers do where no %s is given', async (missing) => {
    const bundle = '/etc/haproxy/etcd-client.pem';
    const own = asked({ ca: '/etc/haproxy/etcd-ca.crt', certificate: bundle, key: bundle }, GOOD);
    const given = Object.fromEntries(Object.entries({ url, ...files }).filter(([name]) => name !== missing));
    expect(await gate.check(gateInput(fakeProbes({ 'etcd-1': own }), { batch: ['etcd-1'], arguments: given }))).toEqual(
      { open: true },
    );
  });
});

describe('backends-named', () => {
  const [backend] = SAMPLE_APISERVER.backends;
  if (backend === undefined) throw new Error('the sample has no backend');
  const service: VirtualService = {
    ...SAMPLE_APISERVER,
    backends: [1, 2, 3].map((number) => ({
      ...backend,
      host: `cp-${number}`,
      name: `api-${number}`,
      address: `10.0.0.1${number}`,
    })),
    // cp-1 is a client, cp-2 only looks on, and cp-3 is neither; a client that has its files in a manifest has none here.
    clients: [{ host: 'cp-1', files: { ca: '/client.crt' } }],
    observers: [
      { host: 'cp-1', manifest: '/m.yaml' },
      { host: 'cp-2', manifest: '/m.yaml' },
      { host: 'cp-2', files: { ca: '/observer.crt' } },
    ],
  };
  const host = (number: number, ca: string, answer: HttpsAnswer): FakeAnswers => ({
    'https-answers': {
      [httpsKey({ url: 'https://10.0.0.200:6443/readyz', ca, connectTo: `10.0.0.1${number}` })]: answer,
    },
  });
  const probes = (...answers: readonly HttpsAnswer[]) =>
    fakeProbes(
      Object.fromEntries(
        ['/client.crt', '/observer.crt', '/etc/haproxy/kube-apiserver-ca.crt'].map((ca, index) => [
          `cp-${index + 1}`,
          host(index + 1, ca, answers[index] ?? GOOD),
        ]),
      ),
    );
  const check = async (batch: readonly string[], ...answers: readonly HttpsAnswer[]) =>
    backendsNamed(service).check(gateInput(probes(...answers), { batch }));

  test('asks those of the batch, each with what its own host verifies by; all where the batch has none', async () => {
    expect(await check(['cp-1', 'cp-2', 'cp-3'])).toEqual({ open: true });
    expect(await check(['cp-1'], GOOD, BAD, BAD)).toEqual({ open: true });
    expect(await check(['cp-3', 'etcd-1'], BAD, BAD, GOOD)).toEqual({ open: true });
    for (const batch of [[], ['etcd-1'], ['cp-2', 'cp-3']])
      expect(await check(batch, GOOD, BAD, BAD)).toEqual({
        open: false,
        reason: 'api-2, asked as 10.0.0.200, fails: refused; api-3, asked as 10.0.0.200, fails: refused',
        next: 'ssh cp-2 sudo crictl ps -a --name kube-apiserver',
      });
  });
});

describe('backends-up', () => {
  const servers = (...down: readonly string[]): FakeAnswers => ({
    'haproxy-servers': {
      '23790 etcd': ['m1', 'm2', 'm3'].map((name) =>
        down.includes(name) ? { name, status: 'DOWN', check: 'L4CON' } : { name, status: 'UP', check: 'L7OK' },
      ),
    },
    'host-addresses': { all: [] },
  });
  const gate = backendsUp(SAMPLE_SERVICE);

  test('has the name and the patience of the strict one', () => {
    expect([gate.name, gate.deadlineMs]).toEqual(['backends-up: etcd', 60_000]);
  });

  test('asks nobody whether he is away while all is well', async () => {
    // Only etcd-1 is known to the test: to ask another host is an error.
    expect(await gate.check(gateInput(fakeProbes({ 'etcd-1': servers() }), { batch: ['etcd-1'] }))).toEqual({
      open: true,
    });
  });

  test('leaves out every host that is away, and says so; where all are, nobody is left to count', async () => {
    const two = fakeProbes({ 'etcd-1': servers('m2', 'm3'), 'etcd-2': UNREACHABLE, 'etcd-3': UNREACHABLE });
    expect(await gate.check(gateInput(two, { batch: ['etcd-1'] }))).toEqual({
      open: true,
      note: "etcd-2 can't be asked, and is left out; etcd-3 can't be asked, and is left out",
    });
    const alone = { ...SAMPLE_SERVICE, backends: SAMPLE_SERVICE.backends.slice(2) };
    const third = fakeProbes({ 'etcd-1': servers('m3'), 'etcd-3': UNREACHABLE });
    expect(await backendsUp(alone).check(gateInput(third, { batch: ['etcd-1'] }))).toMatchObject({
      open: false,
      reason: 'HAProxy on etcd-1 finds m3 DOWN: L4CON',
    });
  });

  test('of API servers leaves out those that are not there yet, and says which and why', async () => {
    const [backend] = SAMPLE_APISERVER.backends;
    const [like] = SAMPLE_CLUSTER.controlPlanes;
    if (backend === undefined || like === undefined) throw new Error('there are both');
    const names = ['cp-1', 'cp-2', 'cp-3', 'cp-4'];
    const service = { ...SAMPLE_APISERVER, backends: names.map((host) => ({ ...backend, host, name: host })) };
    const controlPlanes = names.map((host) => ({ ...like, host }));
    const found = names.map((name) => ({ name, status: name === 'cp-1' ? 'UP' : 'DOWN', check: 'L7OK' }));
    const there = (manifest: boolean): FakeAnswers => ({
      ...{ 'host-addresses': { all: [] }, paths: { [like.manifest]: manifest } },
    });
    const hosts = { 'cp-1': there(true), 'cp-2': there(false), 'cp-3': there(false), 'cp-4': UNREACHABLE };
    const answers = fakeProbes({ 'etcd-1': { 'haproxy-servers': { '23791 kube-apiserver': found } }, ...hosts });
    expect(await backendsUp(service, { controlPlanes }).check(gateInput(answers, { batch: ['etcd-1'] }))).toEqual({
      open: true,
      note: "cp-4 can't be asked, and is left out; cp-2 has no API server yet, and is left out; cp-3 has no API server yet, and is left out",
    });
  });
});

test('several balancers that are away are all named', async () => {
  const look = {
    'host-addresses': { all: [{ interface: 'eth0', address: '10.0.0.100', prefixLength: 32 }] },
    'source-addresses': { '10.0.0.2': '10.0.0.1', '10.0.0.3': '10.0.0.1' },
  };
  const probes = fakeProbes({ 'etcd-1': look, 'etcd-2': UNREACHABLE, 'etcd-3': UNREACHABLE });
  const gate = keepalivedOneHolder(SAMPLE_SERVICE, SAMPLE_CLUSTER);
  expect(await gate.check(gateInput(probes, { batch: ['etcd-1'] }))).toEqual({
    open: true,
    note: "etcd-1 holds 10.0.0.100; etcd-2 can't be asked, and is left out; etcd-3 can't be asked, and is left out",
  });
});

describe('what members do not agree on', () => {
  const listed = (number: number, name = `m${number}`, isLearner = false) => ({
    id: `${number}`,
    name,
    peerUrls: [`https://10.0.0.${number}:2380`],
    isLearner,
  });
  const problems = (...statuses: readonly EtcdStatus[]): readonly string[] => {
    const answers: MemberAnswers = new Map(statuses.map((status, index) => [`etcd-${index + 1}`, status]));
    return agreementProblems(membersHeard(answers), SAMPLE_CLUSTER);
  };

  test('is described with what each says: ids, names, who learns', () => {
    const all = [listed(1), listed(2), listed(3)];
    expect(problems(healthy(1, { members: all }), healthy(2, { members: [] }), healthy(3, { members: all }))).toContain(
      'members disagree on the list of members: etcd-1 says m1 (1) + m2 (2) + m3 (3), etcd-2 says none, etcd-3 says m1 (1) + m2 (2) + m3 (3)',
    );
    const other = [listed(1), listed(2, '', true), listed(3)];
    expect(problems(healthy(1, { members: all }), healthy(2, { members: other }))).toContain(
      'members disagree on the list of members: etcd-1 says m1 (1) + m2 (2) + m3 (3), etcd-2 says m1 (1) + ? (2, learner) + m3 (3)',
    );
    expect(problems(healthy(1, { clusterId: '77' }), healthy(2, { clusterId: '78' }))).toContain(
      'members disagree on the cluster id: etcd-1 says 77, etcd-2 says 78',
    );
  });
});

describe('without the alarm NOSPACE', () => {
  test.each([
    ['a member is as healthy as it knows a leader', { alarms: ['NOSPACE'], isHealthy: false }, [], true],
    ['one without a leader is sick', { alarms: ['NOSPACE'], isHealthy: false, leaderId: '0' }, [], false],
    ['one with another alarm is as healthy as it says', { alarms: ['CORRUPT', 'NOSPACE'] }, ['CORRUPT'], true],
    ['so is a sick one', { alarms: ['CORRUPT', 'NOSPACE'], isHealthy: false }, ['CORRUPT'], false],
    ['one that has none is not touched', { alarms: ['CORRUPT'], isHealthy: false }, ['CORRUPT'], false],
  ])('%s', (_, given, alarms, isHealthy) => {
    expect(withoutNospace(healthy(1, given))).toMatchObject({ alarms, isHealthy });
  });
});

test('what is wrong with one member is listed in one order', () => {
  const sick = { isHealthy: false, isLearner: true, leaderId: '0', raftIndex: 1 };
  const problems = ownProblems(
    membersHeard(new Map([1, 2].map((n) => [`etcd-${n}`, healthy(n, n === 1 ? {} : sick)]))),
  );
  expect([...problems]).toEqual([
    [
      'etcd-2',
      [
        'etcd-2 cannot commit a proposal',
        'etcd-2 is a learner',
        'etcd-2 knows no leader',
        'etcd-2 is 4999 raft entries behind',
      ],
    ],
  ]);
});

describe('the order of hosts', () => {
  const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'];
  const order = async (cluster: Cluster, name: string, probes: ReadonlyMap<string, Probe>) =>
    orderTable(cluster).get(name)?.(HOSTS, (host) => probes.get(host) ?? fakeProbe({}));

  test('leader-last: one after the other where it is not known whether a quorum runs; whoever is away', async () => {
    const known = etcdHost({ data: NO_DATA, unit: STOPPED, status: SILENT });
    const elsewhere = Object.fromEntries(
      [2, 3].map((number) => {
        const clientUrl = `https://10.0.0.${number}:2379`;
        return [etcdStatusKey({ clientUrl, client: sampleMember(1).client }), SILENT];
      }),
    );
    const own = { ...known, 'etcd-status': { ...known['etcd-status'], ...elsewhere } };
    const probes = fakeProbes({ 'etcd-1': own, 'etcd-2': UNREACHABLE, 'etcd-3': UNREACHABLE });
    expect(await order(SAMPLE_CLUSTER, 'leader-last', probes)).toEqual({ hosts: HOSTS, together: false });
  });

  const balancer = (address: string | undefined, active: readonly string[], units: readonly string[]): FakeAnswers => ({
    'host-addresses': {
      all: ['10.0.0.1', ...(address === undefined ? [] : [address])].map((each) => ({
        interface: 'eth0',
        address: each,
        prefixLength: 24,
      })),
    },
    units: Object.fromEntries(units.map((unit) => [unit, active.includes(unit) ? RUNNING : STOPPED])),
  });
  const UNITS = ['haproxy', 'keepalived', 'old-one', 'old-two', 'vrrp-one', 'vrrp-two'];
  const former = withService({
    balancers: SAMPLE_SERVICE.balancers.map((each) => ({
      ...each,
      formerProxies: ['old-one', 'old-two'].map((unit) => ({ name: 'nginx', unit, configFile: '/x' })),
      keepalived: {
        ...each.keepalived,
        former: ['vrrp-one', 'vrrp-two'].map((unit) => ({ unit, configFile: '/x' })),
      },
    })),
  });

  test.each(UNITS)('vip-holder-last: one by one while %s runs on any balancer, else together', async (unit) => {
    const idle = balancer(undefined, [], UNITS);
    const serving = balancer(undefined, [unit], UNITS);
    const together = async (...hosts: readonly FakeAnswers[]) =>
      (
        await order(
          former,
          'vip-holder-last: etcd',
          fakeProbes(Object.fromEntries(hosts.map((each, index) => [`etcd-${index + 1}`, each]))),
        )
      )?.together;
    expect(await together(idle, idle, idle)).toBe(true);
    expect(await together(idle, idle, serving)).toBe(false);
    expect(await together(serving, idle, idle)).toBe(false);
  });

  test('vip-holder-last: who is away may serve, and a host that is no balancer serves nothing', async () => {
    const idle = balancer(undefined, [], UNITS);
    const away = fakeProbes({ 'etcd-1': idle, 'etcd-2': UNREACHABLE, 'etcd-3': idle });
    expect(await order(former, 'vip-holder-last: etcd', away)).toEqual({ hosts: HOSTS, together: false });
    const two = withService({ balancers: SAMPLE_SERVICE.balancers.slice(0, 2) });
    const units = ['haproxy', 'keepalived', 'provision-etcd-keepalived'];
    const probes = fakeProbes({
      'etcd-1': balancer(undefined, [], units),
      'etcd-2': balancer(undefined, [], units),
      // It is asked for no unit at all.
      'etcd-3': balancer(undefined, [], []),
    });
    expect(await order(two, 'vip-holder-last: etcd', probes)).toEqual({ hosts: HOSTS, together: true });
  });
});

describe('members on hosts that can’t be asked', () => {
  const gone = (number: number): EtcdStatus => ({ kind: 'silent', reason: `no route to etcd-${number}` });
  const all = [1, 2, 3, 4, 5];
  const members = all.map((number) => ({
    id: `${number}`,
    name: `m${number}`,
    peerUrls: [`https://10.0.0.${number}:2380`],
    isLearner: false,
  }));
  const five: Cluster = {
    ...SAMPLE_CLUSTER,
    members: all.map((number) => sampleMember(number)),
  };
  const up = (number: number, change: Parameters<typeof healthy>[1] = {}): EtcdStatus =>
    healthy(number, { members, ...change });
  const judged = async (statuses: readonly EtcdStatus[], given: Readonly<Record<string, readonly number[]>>) => {
    const hosts = (name: string): ReadonlySet<string> => new Set((given[name] ?? []).map((each) => `etcd-${each}`));
    const asked = {
      answers: new Map(statuses.map((status, index) => [`etcd-${index + 1}`, status])),
      cluster: { ...five, members: five.members.slice(0, statuses.length) },
      down: hosts('down'),
      done: hosts('done'),
      away: hosts('away'),
      taken: hosts('taken'),
    };
    const probe = fakeProbe(etcdHost({}));
    return judgeMembers(asked, () => probe, new Date('2026-12-01T12:00:00Z'));
  };

  test('are left out, each by its name, while a quorum serves without them', async () => {
    const statuses = [up(1), up(2), up(3), gone(4), gone(5)];
    expect(await judged(statuses, { away: [4, 5] })).toEqual({
      open: true,
      note: "etcd-4 can't be asked, and is left out; etcd-5 can't be asked, and is left out",
    });
    // What is down, and may be, is no news.
    expect(await judged(statuses, { away: [4, 5], down: [4] })).toEqual({
      open: true,
      note: "etcd-5 can't be asked, and is left out",
    });
  });

  test('are waited for where too few serve, or would: each is named, and the first is to be looked at', async () => {
    expect(await judged([up(1), up(2), gone(3), gone(4), gone(5)], { away: [3, 4, 5] })).toEqual({
      open: false,
      isAway: true,
      reason:
        '2 of 5 etcd members serve, fewer than a quorum of 3; etcd-3 does not answer: no route to etcd-3; ' +
        'etcd-4 does not answer: no route to etcd-4; etcd-5 does not answer: no route to etcd-5',
      next: 'ssh etcd-3 true',
    });
    expect(await judged([up(1), up(2), up(3), up(4), gone(5)], { away: [5], taken: [1, 2] })).toMatchObject({
      isAway: true,
      reason: expect.stringMatching(
        /^2 of 5 etcd members would serve while etcd-1, etcd-2 restarts, fewer than a quorum of 3; etcd-5 does/,
      ) as unknown,
    });
    expect(await judged([up(1), up(2), up(3), up(4), gone(5)], { away: [5], taken: [1] })).toMatchObject({
      open: true,
    });
  });

  test('and one that is sick does not serve', async () => {
    const statuses = [up(1), up(2), up(3, { isHealthy: false }), gone(4), gone(5)];
    expect(await judged(statuses, { away: [4, 5] })).toMatchObject({
      isAway: true,
      reason: expect.stringMatching(/^2 of 5 etcd members serve,/) as unknown,
    });
  });
});

test('whether there is a cluster is not known while hosts are away: all are named', async () => {
  const elsewhere = Object.fromEntries(
    [2, 3].map((number) => {
      const clientUrl = `https://10.0.0.${number}:2379`;
      return [etcdStatusKey({ clientUrl, client: sampleMember(1).client }), SILENT];
    }),
  );
  const bare = etcdHost({ data: NO_DATA, unit: STOPPED, status: SILENT });
  const own = { ...bare, 'etcd-status': { ...bare['etcd-status'], ...elsewhere } };
  const probes = fakeProbes({ 'etcd-1': own, 'etcd-2': UNREACHABLE, 'etcd-3': UNREACHABLE });
  const now = (): Date => new Date('2026-12-01T12:00:00Z');
  expect(await etcdCanSpareBatch(SAMPLE_CLUSTER, now).check(gateInput(probes, { batch: ['etcd-1'] }))).toEqual({
    open: false,
    isAway: true,
    reason: "whether there is an etcd cluster is not known while etcd-2, etcd-3 can't be asked",
    next: 'ssh etcd-2 true',
  });
  // The one that was worked on ends the gate, also where another one is away before it.
  await expect(etcdHealthy(SAMPLE_CLUSTER, now).check(gateInput(probes, { batch: ['etcd-3'] }))).rejects.toMatchObject({
    host: 'etcd-3',
  });
});

test('what nobody waits for: another cluster, another list; an election is waited for', async () => {
  const check = async (third: Parameters<typeof healthy>[1]) =>
    etcdHealthy(SAMPLE_CLUSTER, () => new Date('2026-12-01T12:00:00Z')).check(
      gateInput(
        fakeProbes(
          Object.fromEntries(
            [1, 2, 3].map((number) => [
              `etcd-${number}`,
              etcdHost({ status: healthy(number, number === 3 ? third : {}) }),
            ]),
          ),
        ),
      ),
    );
  expect(await check({ clusterId: '78' })).toMatchObject({ open: false, isFinal: true });
  expect(await check({ leaderId: '3' })).not.toHaveProperty('isFinal');
  const [one, two, three] = healthy(1).members;
  if (one === undefined || two === undefined || three === undefined) throw new Error('three are listed');
  const learning = [one, two, { ...three, isLearner: true }];
  const all = fakeProbes(
    Object.fromEntries(
      [1, 2, 3].map((number) => [`etcd-${number}`, etcdHost({ status: healthy(number, { members: learning }) })]),
    ),
  );
  const now = (): Date => new Date('2026-12-01T12:00:00Z');
  const adopted = { ...SAMPLE_CLUSTER, isManaged: false };
  expect(await etcdHealthy(adopted, now).check(gateInput(all))).toMatchObject({
    open: false,
    isFinal: true,
    reason: expect.stringContaining('listed as a learner') as unknown,
  });
  // What is managed here is promoted by the play that follows.
  expect(await etcdHealthy(SAMPLE_CLUSTER, now).check(gateInput(all))).toEqual({ open: true });
});

describe('with several faults', () => {
  const now = (): Date => new Date('2026-12-01T12:00:00Z');
  const check = async (change: (number: number) => Parameters<typeof healthy>[1]) =>
    etcdHealthy(SAMPLE_CLUSTER, now).check(
      gateInput(
        fakeProbes(
          Object.fromEntries(
            [1, 2, 3].map((number) => [`etcd-${number}`, etcdHost({ status: healthy(number, change(number)) })]),
          ),
        ),
      ),
    );

  test('the first that waiting does not change says what to do', async () => {
    const members = healthy(1).members.slice(0, 2);
    const answer = await check(() => ({ members, alarms: ['NOSPACE'] }));
    expect(answer).toMatchObject({
      isFinal: true,
      next: expect.stringContaining('take etcd-3 out of the group etcd') as unknown,
    });
  });

  test('a member that lags is named, also where it is the first', async () => {
    const answer = await check((number) => (number === 1 ? { raftIndex: 3000 } : {}));
    expect(answer).toMatchObject({ open: false, reason: 'etcd-1 is 2000 raft entries behind' });
  });

  test('all that members disagree on is named', async () => {
    const answer = await check((number) => (number === 2 ? { clusterId: '78', leaderId: '2' } : {}));
    expect(answer).toMatchObject({
      reason:
        'members disagree on the cluster id: etcd-1 says 77, etcd-2 says 78, etcd-3 says 77; ' +
        'members disagree on the leader: etcd-1 says 1, etcd-2 says 2, etcd-3 says 1',
    });
    const [first, second] = agreementProblems(
      membersHeard(new Map([1, 2].map((n) => [`etcd-${n}`, healthy(n, { clusterId: `${n}`, leaderId: `${n}` })]))),
      SAMPLE_CLUSTER,
    );
    expect([first, second]).toEqual([expect.stringContaining('cluster id'), expect.stringContaining('leader')]);
  });
});

test('without a control plane apiserver-ready waits for nobody', () => {
  expect(apiserverReady({ ...SAMPLE_CLUSTER, controlPlanes: [] }).deadlineMs).toBe(0);
});

test('apiserver-ready-last: together only where all of the cluster’s API servers are there to be seen', async () => {
  const [one] = SAMPLE_CLUSTER.controlPlanes;
  if (one === undefined) throw new Error('the sample has no control plane');
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes: [one, { ...one, host: 'cp-2' }] };
  const idle = fakeProbe({ 'apiserver-processes': { 'kube-apiserver': [] } });
  const ordered = await orderTable(cluster).get('apiserver-ready-last')?.(['cp-1'], () => idle);
  expect(ordered).toEqual({ hosts: ['cp-1'], together: false });
});
