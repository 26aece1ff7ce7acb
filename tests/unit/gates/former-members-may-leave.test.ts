import { describe, expect, test } from '@jest/globals';
import { APISERVER } from '../../../src/facts/apiserver-processes.js';
import { KUBEADM_CONFIG } from '../../../src/facts/kubeadm-config.js';
import { etcdPodKey } from '../../../src/facts/etcd-pod.js';
import { formerMembersMayLeave } from '../../../src/gates/former-members-may-leave.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { GateAnswer } from '../../../src/model/gate.js';
import { etcdHost, healthy, NO_DATA, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import {
  SAMPLE_CLUSTER,
  sampleBalancer,
  sampleMember,
  SAMPLE_SERVICE,
  withExternal,
} from '../../support/sample-cluster.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const PROXY = '/etc/haproxy/haproxy.cfg';
const BARE = { data: { ...NO_DATA }, unit: STOPPED, status: SILENT };

const SERVICE = { ...SAMPLE_SERVICE, balancers: [sampleBalancer(1)] };

/** etcd-3 of three is to leave. */
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  members: [sampleMember(1), sampleMember(2)],
  formerMembers: [sampleMember(3)],
  services: [SERVICE],
};

interface Seen {
  /** `--etcd-servers` of the manifest. */
  readonly manifest?: string;
  readonly process?: string;
  readonly overrides?: string;
  /** Of the balancer. */
  readonly proxy?: string;
  readonly kubeadm?: object;
  readonly etcd?: Readonly<Record<string, FakeAnswers>>;
}

const ALONE = 'https://10.0.0.1:2379,https://10.0.0.2:2379';
const ALL = `${ALONE},https://10.0.0.3:2379`;

function controlPlane(seen: Seen): FakeAnswers {
  const { manifest = ALONE, process = manifest, overrides } = seen;
  const text = `spec:\n  containers:\n  - name: kube-apiserver\n    command:\n    - kube-apiserver\n    - --etcd-servers=${manifest}\n`;
  const argv = [
    'kube-apiserver',
    `--etcd-servers=${process}`,
    ...(overrides === undefined ? [] : [`--etcd-servers-overrides=${overrides}`]),
  ];
  return {
    'file-contents': { [MANIFEST]: text },
    'apiserver-processes': { [APISERVER]: [{ pid: 7, argv, peers: [] }] },
    'kubeadm-config': { [KUBEADM_CONFIG]: seen.kubeadm ?? { kind: 'absent' } },
  };
}

async function ask(seen: Seen, cluster = CLUSTER, batch = 'etcd-3'): Promise<GateAnswer> {
  const hosts = Object.fromEntries(
    [1, 2, 3].map((number): [string, FakeAnswers] => [`etcd-${number}`, etcdHost({ status: healthy(number) })]),
  );
  const first = { ...hosts['etcd-1'], 'file-contents': { [PROXY]: seen.proxy ?? 'server m1 10.0.0.1:2379' } };
  const own = controlPlane(seen);
  const all = { ...hosts, 'etcd-1': first, 'cp-1': own, ...seen.etcd };
  return formerMembersMayLeave(cluster).check(gateInput(fakeProbes(all), { batch: [batch] }));
}

describe('former-members-may-leave', () => {
  test('is open where nobody is led to it', async () => {
    expect(await ask({})).toEqual({ open: true });
    const found = { kind: 'found', configuration: `etcd: {external: {endpoints: ['https://10.0.0.100:2379']}}` };
    expect(await ask({ kubeadm: found, overrides: `/events#https://192.0.2.1:2379` })).toEqual({ open: true });
  });

  test.each<[string, Seen, string]>([
    [
      'the manifest of an API server',
      { manifest: ALL, process: ALONE },
      'kube-apiserver on cp-1 uses https://10.0.0.3:2379',
    ],
    [
      'its process, which is older',
      { manifest: ALONE, process: ALL },
      'kube-apiserver on cp-1 uses https://10.0.0.3:2379',
    ],
    ['by its name', { manifest: 'https://etcd-3:2379' }, 'kube-apiserver on cp-1 uses https://etcd-3:2379'],
    [
      'for some resources',
      { overrides: `/events#https://10.0.0.1:2379;https://10.0.0.3:2379` },
      'kube-apiserver on cp-1 uses https://10.0.0.3:2379',
    ],
    ['the load balancer', { proxy: 'server m3 10.0.0.3:2379 check' }, `${PROXY} on etcd-1 names etcd-3`],
    [
      'what kubeadm will write',
      { kubeadm: { kind: 'found', configuration: 'endpoints:\n- https://10.0.0.3:2379\n' } },
      'kube-system/kubeadm-config names https://10.0.0.3:2379',
    ],
  ])('is shut while it is named by %s', async (_, seen, reason) => {
    expect(await ask(seen)).toMatchObject({
      open: false,
      isFinal: true,
      reason: expect.stringContaining(reason),
      next: expect.stringMatching(/^provision apply INVENTORY/),
    });
    // One that has left is named by whom it may be.
    const left = [1, 2].map((number) => healthy(number, { members: healthy(1).members.slice(0, 2) }));
    const [one, two] = left.map((status) => etcdHost({ status }));
    const first = { ...one, 'file-contents': { [PROXY]: seen.proxy ?? '' } };
    const gone = { ...BARE, data: NO_DATA };
    const etcd = { 'etcd-1': first, 'etcd-2': two ?? {}, 'etcd-3': etcdHost(gone) };
    expect(await ask({ ...seen, etcd })).toEqual({ open: true });
  });

  test('is shut while kubeadm would make stacked members again', async () => {
    const [etcd3] = CLUSTER.formerMembers;
    if (etcd3 === undefined) throw new Error('there is one');
    const manifest = '/etc/kubernetes/manifests/etcd.yaml';
    const stacked = { ...CLUSTER, formerMembers: [{ ...etcd3, manifest }] };
    const pod = { [etcdPodKey({ ...etcd3, manifest })]: { hasManifest: true, isRunning: true, clusterId: '77' } };
    const third = { ...etcdHost({ status: healthy(3) }), 'etcd-pod': pod };
    const kubeadm = { kind: 'found', configuration: 'etcd: {local: {dataDir: /var/lib/etcd}}\n' };
    const etcd = { 'etcd-3': third };
    expect(await ask({ kubeadm, etcd }, stacked)).toMatchObject({
      open: false,
      reason: 'kube-system/kubeadm-config names a stacked etcd, which is about to leave',
      next: 'provision apply INVENTORY --playbook repoint',
    });
    // Of one that is a unit it is no business.
    expect(await ask({ kubeadm })).toEqual({ open: true });
    const moved = { kind: 'found', configuration: "etcd: {external: {endpoints: ['https://10.0.0.100:2379']}}" };
    expect(await ask({ kubeadm: moved, etcd }, stacked)).toEqual({ open: true });
  });

  describe('of what kubeadm would do with a stacked member', () => {
    const LOCAL = { kind: 'found', configuration: 'etcd: {local: {dataDir: /var/lib/etcd}}' };
    const MOVED = { kind: 'found', configuration: "etcd: {external: {endpoints: ['https://10.0.0.100:2379']}}" };
    const NONE = { kind: 'absent' };
    const REFUSED = { kind: 'refused', status: 403 };
    const QUIET = { kind: 'silent', reason: 'no kube-apiserver runs' };
    const READ = { open: true };
    const NAMED = { open: false, isFinal: true, reason: expect.stringContaining('names a stacked etcd') };

    /** What each control plane says of kubeadm-config. */
    async function said(all: readonly (object | 'away')[], member: object): Promise<GateAnswer> {
      const [former] = CLUSTER.formerMembers;
      const [like] = CLUSTER.controlPlanes;
      if (former === undefined || like === undefined) throw new Error('there are both');
      const leaving = { ...former, ...member };
      const controlPlanes = all.map((_, index) => ({ ...like, host: `cp-${index + 1}` }));
      const pod = { [etcdPodKey({ ...leaving, manifest: '/etc/kubernetes/manifests/etcd.yaml' })]: RUNNING };
      const answers = all.map((kubeadm, index): [string, FakeAnswers] => [
        `cp-${index + 1}`,
        kubeadm === 'away' ? UNREACHABLE : controlPlane({ kubeadm: kubeadm }),
      ]);
      const etcd = {
        ...Object.fromEntries(answers),
        'etcd-3': { ...etcdHost({ status: healthy(3) }), 'etcd-pod': pod },
      };
      return ask({ etcd }, { ...CLUSTER, formerMembers: [leaving], controlPlanes });
    }
    const RUNNING = { hasManifest: true, isRunning: true, clusterId: '77' };
    const STACKED = { manifest: '/etc/kubernetes/manifests/etcd.yaml' };
    const unread = (...reasons: readonly string[]): object => ({
      open: false,
      reason: `kube-system/kubeadm-config could not be read, and may name a stacked etcd, which is about to leave (${reasons.join('; ')})`,
      next: expect.stringContaining('ssh cp-1 sudo kubectl'),
    });

    test.each<[string, readonly (object | 'away')[], object]>([
      [
        'one says that it was moved, and nobody else anything',
        [QUIET, MOVED, 'away'],
        unread('cp-1: no kube-apiserver runs', "cp-3: cp-3: can't connect to it: no route"),
      ],
      ['most say that it was moved', [QUIET, MOVED, MOVED], READ],
      ['the first one is silent, another one says stacked', [QUIET, QUIET, LOCAL], NAMED],
      ['the first one says that there is none, another one says stacked', [NONE, LOCAL, NONE], NAMED],
      ['one says that it was moved, another one says stacked', [MOVED, LOCAL, MOVED], NAMED],
      ['all say that there is none', [NONE, NONE, NONE], READ],
      ['most say that there is none', [NONE, 'away', NONE], READ],
      ['half of them say that there is none', [NONE, QUIET], unread('cp-2: no kube-apiserver runs')],
      ['it may not be read', [REFUSED], unread('cp-1: the kube-apiserver answers 403')],
      [
        'one says that there is none, and nobody else anything',
        [NONE, QUIET, REFUSED],
        unread('cp-2: no kube-apiserver runs', 'cp-3: the kube-apiserver answers 403'),
      ],
    ])('%s', async (_, all, expected) => {
      expect(await said(all, STACKED)).toMatchObject(expected);
    });

    test('not knowing is not final: a control plane may answer later', async () => {
      const answer = await said(['away', 'away', 'away'], STACKED);
      expect(answer).toMatchObject({ open: false, reason: expect.stringMatching(/cp-1: .*cp-2: .*cp-3: /) });
      expect(answer).not.toHaveProperty('isFinal');
      // Of members that are units it is no business.
      expect(await said([QUIET, REFUSED, 'away'], {})).toEqual({ open: true });
    });
  });

  test('with a load balancer of others, too, it is the playbook that moves them', async () => {
    const cluster = { ...CLUSTER, services: [], external: withExternal().external };
    const kubeadm = { kind: 'found', configuration: 'endpoints: ["https://10.0.0.3:2379"]' };
    expect(await ask({ manifest: ALL }, cluster)).toMatchObject({ next: expect.stringContaining('provision apply') });
    expect(await ask({ kubeadm }, cluster)).toMatchObject({ next: expect.stringContaining('provision apply') });
  });

  test.each(['https://10.9.0.1:2379', 'https://balancer.example:2379'])(
    'a load balancer of others stays, and so do those who use it as %s',
    async (url) => {
      const kubeadm = { kind: 'found', configuration: `etcd: {external: {endpoints: ['${url}']}}` };
      const cluster = { ...CLUSTER, services: [], external: withExternal().external };
      expect(await ask({ manifest: url, kubeadm }, cluster)).toEqual({ open: true });
      expect(await ask({ manifest: `${url},https://10.0.0.3:2379`, kubeadm }, cluster)).toMatchObject({
        open: false,
        reason: 'kube-apiserver on cp-1 uses https://10.0.0.3:2379, which is about to leave',
      });
    },
  );

  test('API servers that move on demand are moved by the playbook for that', async () => {
    const controlPlanes = CLUSTER.controlPlanes.map((each) => ({ ...each, repoint: 'on-demand' }) as const);
    expect(await ask({ manifest: ALL }, { ...CLUSTER, controlPlanes })).toMatchObject({
      next: 'provision apply INVENTORY --playbook repoint',
    });
  });

  test('without a load balancer it says how API servers are moved to the others', async () => {
    const cluster = { ...CLUSTER, services: [] };
    expect(await ask({ manifest: ALL }, cluster)).toMatchObject({ next: 'provision bypass INVENTORY on' });
    const kubeadm = { kind: 'found', configuration: 'endpoints: ["https://10.0.0.3:2379"]' };
    expect(await ask({ kubeadm }, cluster)).toMatchObject({ next: expect.stringContaining('edit configmap') });
  });

  test.each(['127.0.0.1', 'localhost', '[::1]'])('%s is the member of that host', async (loopback) => {
    const [controlPlaneOf] = SAMPLE_CLUSTER.controlPlanes;
    if (controlPlaneOf === undefined) throw new Error('there is one');
    const cluster = { ...CLUSTER, controlPlanes: [{ ...controlPlaneOf, host: 'etcd-3' }] };
    const stacked = { ...etcdHost({ status: healthy(3) }), ...controlPlane({ manifest: `https://${loopback}:2379` }) };
    expect(await ask({ etcd: { 'etcd-3': stacked } }, cluster)).toMatchObject({
      reason: `kube-apiserver on etcd-3 uses https://${loopback}:2379, which is about to leave`,
    });
    expect(await ask({ manifest: `https://${loopback}:2379` })).toEqual({ open: true });
  });

  test('members join before others leave', async () => {
    const cluster = { ...CLUSTER, members: [...CLUSTER.members, sampleMember(4)] };
    expect(await ask({ etcd: { 'etcd-4': etcdHost(BARE) } }, cluster)).toMatchObject({
      open: false,
      reason: 'etcd-4 has not joined yet: members join before others leave',
    });
  });

  test('the others are a quorum without it, of all that are listed', async () => {
    const sick = { 'etcd-2': etcdHost({ status: healthy(2, { isHealthy: false }) }) };
    expect(await ask({ etcd: sick })).toEqual({
      open: false,
      reason: '1 of 3 voters are healthy without etcd-3, and a quorum is 2',
      next: 'provision verify INVENTORY',
    });
    const one = { ...CLUSTER, members: [sampleMember(1)], formerMembers: [sampleMember(2)] };
    const members = healthy(1).members.slice(0, 2);
    const two = Object.fromEntries(
      [1, 2].map((number) => [
        `etcd-${number}`,
        { ...etcdHost({ status: healthy(number, { members }) }), 'file-contents': { [PROXY]: '' } },
      ]),
    );
    expect(await ask({ manifest: 'https://10.0.0.1:2379', etcd: two }, one, 'etcd-2')).toEqual({ open: true });
  });

  test('who votes is what a voter lists: a learner that is heard before it is passed over', async () => {
    const cluster = { ...CLUSTER, members: [sampleMember(1)], formerMembers: [sampleMember(2), sampleMember(3)] };
    const members = healthy(1).members.map((each) => ({ ...each, isLearner: each.id === '2' }));
    const etcd = {
      'etcd-1': { ...etcdHost({ status: SILENT }), 'file-contents': { [PROXY]: '' } },
      'etcd-2': etcdHost({ status: healthy(2, { members, isLearner: true }) }),
      'etcd-3': etcdHost({ status: healthy(3, { members }) }),
    };
    expect(await ask({ manifest: 'https://10.0.0.1:2379', etcd }, cluster)).toMatchObject({
      open: false,
      reason: '0 of 2 voters are healthy without etcd-3, and a quorum is 1',
    });
  });

  test('a quorum is one of all voters: the one that leaves is listed while it is stopped', async () => {
    const members = [1, 2, 3, 4].map((number) => ({
      ...{ id: `${number}`, name: `m${number}`, isLearner: false },
      peerUrls: [`https://10.0.0.${number}:2380`],
    }));
    const etcd = members.map(({ id }): [string, FakeAnswers] => {
      const status = healthy(Number(id), { members, isHealthy: id !== '3' });
      return [`etcd-${id}`, { ...etcdHost({ status }), 'file-contents': { [PROXY]: '' } }];
    });
    const cluster = { ...CLUSTER, members: [1, 2, 3].map(sampleMember), formerMembers: [sampleMember(4)] };
    expect(await ask({ etcd: Object.fromEntries(etcd) }, cluster, 'etcd-4')).toMatchObject({
      open: false,
      reason: '2 of 4 voters are healthy without etcd-4, and a quorum is 3',
    });
  });

  test('is shut while those that stay do not list it, and it serves in their cluster', async () => {
    const one = { ...CLUSTER, members: [sampleMember(1)], formerMembers: [sampleMember(2)] };
    const [first, second, third] = healthy(1).members;
    if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');
    const gate = async (own: Partial<ReturnType<typeof healthy>>, batch = 'etcd-2'): Promise<GateAnswer> => {
      const alone = etcdHost({ status: healthy(1, { members: [first] }) });
      const etcd = {
        'etcd-1': { ...alone, 'file-contents': { [PROXY]: '' } },
        'etcd-2': etcdHost({ status: healthy(2, { members: [first, second], ...own }) }),
      };
      return ask({ etcd }, one, batch);
    };
    const shut = {
      open: false,
      reason: 'the members that stay do not list etcd-2, and it serves as a member of their cluster',
      next: 'provision verify INVENTORY',
    };
    expect([await gate({}), await gate({}, 'etcd-1')]).toEqual([shut, shut]);
    expect(await gate({ isHealthy: false })).toEqual({ open: true });
    expect(await gate({ members: [first] })).toEqual({ open: true });
    expect(await gate({ clusterId: '99' })).toEqual({ open: true });
  });

  test('who uses it is listed in one order: API servers, the load balancer, kubeadm', async () => {
    const kubeadm = { kind: 'found', configuration: 'endpoints: ["https://10.0.0.3:2379"]' };
    expect(await ask({ manifest: ALL, proxy: 'server x 10.0.0.3:2379', kubeadm })).toMatchObject({
      reason: [
        'kube-apiserver on cp-1 uses https://10.0.0.3:2379, which is about to leave',
        `${PROXY} on etcd-1 names etcd-3, which is about to leave`,
        'kube-system/kubeadm-config names https://10.0.0.3:2379, which is about to leave',
      ].join('; '),
    });
  });

  test('every member that leaves is named, and every process that uses one', async () => {
    const cluster = { ...CLUSTER, members: [sampleMember(1)], formerMembers: [sampleMember(2), sampleMember(3)] };
    const processes = ['1', '2', '3'].map((number) => ({
      ...{ pid: Number(number), peers: [] },
      argv: ['kube-apiserver', `--etcd-servers=https://10.0.0.${number}:2379`],
    }));
    const manifest = 'https://10.0.0.1:2379';
    const own = { ...controlPlane({ manifest }), 'apiserver-processes': { [APISERVER]: processes } };
    const proxy = 'server a 10.0.0.2:2379\nserver b 10.0.0.3:2379';
    expect(await ask({ proxy, etcd: { 'cp-1': own } }, cluster, 'etcd-1')).toMatchObject({
      reason: [
        ...['2', '3'].map(
          (number) => `kube-apiserver on cp-1 uses https://10.0.0.${number}:2379, which is about to leave`,
        ),
        ...['2', '3'].map((number) => `${PROXY} on etcd-1 names etcd-${number}, which is about to leave`),
      ].join('; '),
    });
  });

  test('one that serves unlisted is no matter of a batch that it is not in', async () => {
    const one = { ...CLUSTER, members: [sampleMember(1)], formerMembers: [sampleMember(2), sampleMember(3)] };
    const members = healthy(1).members.slice(0, 1);
    const alone = { ...etcdHost({ status: healthy(1, { members }) }), 'file-contents': { [PROXY]: '' } };
    const unlisted = etcdHost({ status: healthy(2) });
    const etcd = { 'etcd-1': alone, 'etcd-2': unlisted, 'etcd-3': etcdHost(BARE) };
    expect(await ask({ etcd }, one, 'etcd-3')).toEqual({ open: true });
    expect(await ask({ etcd }, one, 'etcd-2')).toMatchObject({
      reason: 'the members that stay do not list etcd-2, and it serves as a member of their cluster',
    });
  });

  test('one of the batch that serves unlisted is found behind one of another batch', async () => {
    const numbers = [1, 2, 3, 4, 5];
    const listed = (ids: readonly number[]) =>
      ids.map((id) => ({ id: `${id}`, name: `m${id}`, peerUrls: [`https://10.0.0.${id}:2380`], isLearner: false }));
    const [stay, leave] = [numbers.slice(0, 3), numbers.slice(3)];
    const cluster = { ...CLUSTER, members: stay.map(sampleMember), formerMembers: leave.map(sampleMember) };
    const etcd = Object.fromEntries(
      numbers.map((number) => {
        const members = listed(stay.includes(number) ? stay : numbers);
        return [
          `etcd-${number}`,
          { ...etcdHost({ status: healthy(number, { members }) }), 'file-contents': { [PROXY]: '' } },
        ];
      }),
    );
    expect(await ask({ etcd }, cluster, 'etcd-5')).toMatchObject({
      reason: 'the members that stay do not list etcd-5, and it serves as a member of their cluster',
    });
  });

  test('of a host that stays it asks about all that are to leave', async () => {
    expect(await ask({ manifest: ALL }, CLUSTER, 'etcd-1')).toMatchObject({ open: false, isFinal: true });
    expect(await ask({}, CLUSTER, 'etcd-1')).toEqual({ open: true });
  });

  test('a control plane that is away keeps nobody', async () => {
    expect(await ask({ etcd: { 'cp-1': UNREACHABLE } })).toEqual({ open: true });
  });
});
