import { describe, expect, test } from '@jest/globals';
import { NODE } from '../../../src/facts/node-outline.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import type { KubernetesNode } from '../../../src/model/kubernetes.js';
import { cgroupDriver } from '../../../src/resources/cgroup-driver.js';
import { initConfiguration, joinConfiguration } from '../../../src/resources/kubeadm-configuration.js';
import { kubernetesState, type KubernetesSite } from '../../../src/resources/kubernetes-host.js';
import { kubernetesBegun, kubernetesFinished } from '../../../src/resources/kubernetes-init.js';
import { kubernetesJoined } from '../../../src/resources/kubernetes-joined.js';
import { nodePreflight } from '../../../src/resources/node-preflight.js';
import { fakeProbe, fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { kubernetesHost, LEFTOVERS, registryHost } from '../../support/kubernetes-hosts.js';
import { SAMPLE_CLUSTER, sampleNode } from '../../support/sample-cluster.js';
import { shownChange } from '../../support/shown-change.js';

// All that is done to a host on its way into Kubernetes, and what keeps it from there.

const NODES = [1, 2, 3].map((number) => ({
  ...sampleNode(`cp-${number}`, 'control-plane'),
  address: `10.0.0.1${number}`,
}));
const WORKER = sampleNode('worker-1', 'worker');
const CLUSTER: KubernetesSite['cluster'] = {
  ...{ endpoint: '10.0.0.101:8443', certSans: ['10.0.0.101'], settings: SAMPLE_CLUSTER.kubernetes.settings },
  etcd: { endpoints: ['https://10.0.0.100:2379'], caFile: '/ca', certFile: '/crt', keyFile: '/key' },
};
const SITE: KubernetesSite = {
  ...{ node: NODES[0] ?? WORKER, controlPlanes: NODES, cluster: CLUSTER },
  joinSeen: () => Promise.resolve('unfinished'),
};
const siteOf = (node: KubernetesNode): KubernetesSite => ({ ...SITE, node });
const VERSION = 'v1.20.2';
const toldOf = ({ host, address }: KubernetesNode): Parameters<typeof initConfiguration>[0] => ({
  ...{ name: host, address: address ?? '', ignoredChecks: [] },
});
const added = (text: string): readonly string[] => text.split('\n').map((line) => `+ ${line}`);

type Hosts = Readonly<Record<string, FakeAnswers>>;
const BARE: Hosts = {
  ...Object.fromEntries([...NODES, WORKER].map(({ host }) => [host, kubernetesHost(host, 'bare')])),
  ...Object.fromEntries([1, 2, 3].map((number) => [`etcd-${number}`, registryHost(number, false, 'silent')])),
};

async function planOf(resource: Resource, on: string, changes: Hosts = {}): Promise<Outcome> {
  const probe = fakeProbes({ ...BARE, ...changes }).get(on);
  if (probe === undefined) throw new Error('no probe');
  return resource.plan(probe);
}

async function shown(...given: Parameters<typeof planOf>): Promise<readonly string[]> {
  return shownChange(await planOf(...given));
}

describe('the first control plane', () => {
  const { members } = SAMPLE_CLUSTER;
  const [begun, finished] = [kubernetesBegun(SITE, members), kubernetesFinished(SITE)];
  const own = toldOf(SITE.node);
  const configuration = initConfiguration(
    own,
    { ...CLUSTER, version: VERSION },
    { joining: 'cp-1', withKey: 'nothing' },
  );
  const SET_UP = [
    'set up the first control plane (kubeadm init)',
    ...[`Kubernetes ${VERSION}`, ...added(configuration), '$ kubeadm init, up to the control plane'],
    'stays: what kubeadm has set up stays: the next apply goes on from there',
  ];

  const OBJECTS = [
    'make the objects of the cluster, which clients find at 10.0.0.101:8443 (kubeadm init)',
    ...SET_UP.slice(1, -2),
    '$ kubeadm init, the objects of the cluster',
    ...SET_UP.slice(-1),
  ];

  test('is set up, and its objects made, by what the plan shows', async () => {
    expect([begun.address, finished.address]).toEqual(['kubernetes:control-plane', 'kubernetes:cluster']);
    expect([await shown(begun, 'cp-1'), await shown(finished, 'cp-1')]).toEqual([SET_UP, OBJECTS]);
    for (const resource of [begun, finished])
      expect(await planOf(resource, 'cp-1')).toMatchObject({
        change: { actions: [{ command: { stdin: configuration } }] },
      });
  });

  test.each([
    ['begun', false, true],
    ['serving', false, true],
    ['joined', false, false],
    ['joining', true, true],
    ['leaving', true, true],
  ] as const)('that is %s is to be set up: %s, and its objects are to be made: %s', async (state, ...expected) => {
    const hosts = { 'cp-1': kubernetesHost('cp-1', state) };
    const kinds = await Promise.all(
      [begun, finished].map(async (each) => (await planOf(each, 'cp-1', hosts)).kind === 'change'),
    );
    expect(kinds).toEqual(state === 'begun' ? [true, true] : expected);
  });

  const SILENT = 'no member of etcd answers yet: whether it holds a Kubernetes already is not known';
  test.each([
    ['no member has data', ['-', '-', '-'], SET_UP[0]],
    ['one has none, and the others do not answer', ['-', 'silent', 'silent'], SILENT],
    ['one has none, and the others are away', ['-', 'away', 'away'], SILENT],
    ['the last one is empty, and the others do not answer', ['silent', 'away', 'empty'], SET_UP[0]],
    ['one holds no Kubernetes, and the last one does', ['-', 'empty', 'used'], 'kubernetes-in-etcd'],
  ])('where %s', async (_, said, expected) => {
    const etcd = Object.fromEntries(
      said.map((word, index) => [
        `etcd-${index + 1}`,
        word === 'away' ? UNREACHABLE : registryHost(index + 1, word !== '-', word === '-' ? 'silent' : word),
      ]),
    );
    const planned = shown(begun, 'cp-1', etcd);
    if (expected === 'kubernetes-in-etcd') await expect(planned).rejects.toMatchObject({ code: expected });
    else expect((await planned)[0]).toBe(expected);
  });

  test.each([
    ['the last one serves, and another is away', { 'cp-2': UNREACHABLE, 'cp-3': kubernetesHost('cp-3', 'joined') }, []],
    ['another is away', { 'cp-3': UNREACHABLE }, 'unreachable'],
  ])('is none where %s', async (_, hosts, expected) => {
    for (const resource of [begun, finished]) {
      const planned = shown(resource, 'cp-1', hosts);
      if (typeof expected === 'string') await expect(planned).rejects.toMatchObject({ code: expected });
      else expect(await planned).toEqual(expected);
    }
  });
});

describe('a host that joins', () => {
  const CP = NODES[1] ?? WORKER;
  const STEPS = ['join-kubernetes'];
  const joined = (node: KubernetesNode): Resource => kubernetesJoined(siteOf(node));
  const join = (node: KubernetesNode): readonly string[] =>
    added(joinConfiguration(toldOf(node), node.kind, { version: VERSION, endpoint: CLUSTER.endpoint }));
  const SERVED: Hosts = { 'cp-1': kubernetesHost('cp-1', 'joined') };
  const RESET = 'reset the host, on which a join was interrupted, and ';

  test.each<[string, KubernetesNode, Hosts, readonly string[]]>([
    [
      'a control plane, by the first',
      CP,
      SERVED,
      [
        'join the cluster at 10.0.0.101:8443 as a control plane (kubeadm join)',
        ...[`Kubernetes ${VERSION}, let in by cp-1`, ...join(CP), ...STEPS],
      ],
    ],
    [
      'a worker, by another one that serves',
      WORKER,
      { 'cp-1': UNREACHABLE, 'cp-3': kubernetesHost('cp-3', 'joined') },
      [
        'join the cluster at 10.0.0.101:8443 as a worker (kubeadm join)',
        ...[`Kubernetes ${VERSION}, let in by cp-3`, ...join(WORKER), ...STEPS],
      ],
    ],
    [
      'a worker on which a run was killed',
      WORKER,
      { ...SERVED, 'worker-1': kubernetesHost('worker-1', 'joining') },
      [
        `${RESET}join the cluster at 10.0.0.101:8443 as a worker (kubeadm join)`,
        ...[`Kubernetes ${VERSION}, let in by cp-1`, '- node worker-1, as far as it was made', ...join(WORKER)],
        ...[...STEPS, 'clients notice'],
      ],
    ],
    ['one that has joined', WORKER, { ...SERVED, 'worker-1': kubernetesHost('worker-1', 'joined') }, []],
    ['the first, which the others join', SITE.node, {}, []],
    [
      'the first, which serves before its objects are there',
      SITE.node,
      { 'cp-1': kubernetesHost('cp-1', 'serving') },
      [],
    ],
    ['another one that serves', CP, { ...SERVED, 'cp-2': kubernetesHost('cp-2', 'serving') }, []],
  ])('%s', async (_, node, hosts, expected) => {
    expect(await shown(joined(node), node.host, hosts)).toEqual(expected);
  });

  test.each([
    [WORKER, 'nothing'],
    [CP, 'certificate-key'],
  ] as const)(
    'is let in in words of the kubeadm of who lets it in, and told in those of its own: %j',
    async (node, withKey) => {
      const hosts = {
        'cp-1': kubernetesHost('cp-1', 'joined', 'v1.30.2'),
        [node.host]: kubernetesHost(node.host, 'bare', 'v1.31.0'),
      };
      const inviter = { ...toldOf(node), name: 'cp-1', address: '10.0.0.11' };
      const invitation = { joining: node.host, withKey };
      expect(await planOf(joined(node), node.host, hosts)).toMatchObject({
        change: {
          actions: [
            {
              through: 'cp-1',
              configuration: {
                invitation: initConfiguration(inviter, { ...CLUSTER, version: 'v1.30.2' }, invitation),
                join: joinConfiguration(toldOf(node), node.kind, { ...CLUSTER, version: 'v1.31.0' }),
              },
            },
          ],
        },
      });
    },
  );

  test.each<[KubernetesNode, readonly string[]]>([
    [WORKER, ['the API server has worker-1 at 10.0.0.21']],
    [CP, ['the API server has cp-2 at 10.0.0.12, as a control plane']],
  ])('whose join was finished when its run was killed: %j', async (node, diff) => {
    const resource = kubernetesJoined({ ...siteOf(node), joinSeen: () => Promise.resolve('finished') });
    expect(resource.address).toBe('kubernetes:joined');
    expect(await shown(resource, node.host, { ...SERVED, [node.host]: kubernetesHost(node.host, 'joining') })).toEqual([
      'note that its join is finished: the run that began it was killed at the end',
      ...diff,
      '- what the killed run made to let it in, through cp-1',
      ...[`on cp-1: delete the token of ${node.host}`, 'stays: they stay deleted: the next join makes others'],
      '$ remove what a finished join has left',
      'stays: the join stays finished',
    ]);
  });
});

describe('how far a host is', () => {
  test.each(['bare', 'begun', 'serving', 'joining', 'leaving', 'joined'] as const)('%s', async (state) => {
    expect(await kubernetesState(fakeProbe(kubernetesHost('x', state)))).toBe(state);
  });

  const leaving = (...paths: readonly string[]): FakeAnswers => {
    const answers = kubernetesHost('x', 'bare');
    return { ...answers, paths: { ...answers.paths, ...Object.fromEntries(paths.map((path) => [path, true])) } };
  };

  test.each([...LEFTOVERS.map((path) => [path]), [...LEFTOVERS]].map((paths) => [paths]))(
    'half made by others, by %j',
    async (paths) => {
      await expect(kubernetesState(fakeProbe(leaving(...paths)))).rejects.toMatchObject({
        code: 'node-half-made',
        message: expect.stringContaining(`host-1: ${paths.join(', ')} ${paths.length === 1 ? 'is' : 'are'} there`),
      });
    },
  );
});

describe('before anything is changed', () => {
  const [own, worker] = [SITE.node, WORKER];
  const answers = (taken: string, process: string): FakeAnswers => ({
    'node-outline': { [NODE]: { name: 'x', cpus: 2, memoryMib: 1700, isContainer: false, timeServices: [] } },
    paths: { '/etc/kubernetes/kubelet.conf': false },
    listeners: Object.fromEntries(
      ['6443', '10250', '10257', '10259'].map((port) => [
        port,
        port === taken ? [{ address: '*', port: Number(port), process }] : [],
      ]),
    ),
  });
  const problem = async (node: KubernetesNode, taken: string, process: string): Promise<string> => {
    const planned = nodePreflight(node, [node], []).plan(fakeProbe(answers(taken, process)));
    const outcome = await planned.catch((error: unknown) => error);
    return outcome instanceof Error ? outcome.message : '';
  };

  test.each([
    ['6443', true, false],
    ['10250', true, true],
    ['10257', true, false],
    ['10259', true, false],
  ])('port %s is to be free: on a control plane %s, on a worker %s', async (port, ofControlPlane, ofWorker) => {
    const taken = (host: string): string => `${host} has nginx on port ${port}, which Kubernetes needs`;
    expect(await problem(own, port, 'nginx')).toBe(ofControlPlane ? taken('cp-1') : '');
    expect(await problem(worker, port, 'nginx')).toBe(ofWorker ? taken('worker-1') : '');
  });

  test.each([
    ['kubelet', false],
    ['kube-apiserver', false],
    ['kube-controller', false],
    ['kube-scheduler', false],
    ['my-kubelet', true],
    ['kube-proxy', true],
    ['', true],
  ])('what %j listens on is taken: %s', async (process, isTaken) => {
    expect(await problem(own, '10250', process)).toBe(
      isTaken ? `cp-1 has ${process || 'a process'} on port 10250, which Kubernetes needs` : '',
    );
  });

  test.each([
    ['cgroupDriver: systemd\n', undefined],
    [undefined, undefined],
    ['cgroupDriver: cgroupfs\n', 'host-1: its kubelet has the cgroup driver cgroupfs'],
  ])('a node keeps its cgroup driver: %j', async (text, message) => {
    const driver = cgroupDriver('systemd');
    expect(driver.address).toBe('cgroup-driver');
    const planned = driver.plan(fakeProbe({ 'file-contents': { '/var/lib/kubelet/config.yaml': text } }));
    if (message === undefined) expect(await planned).toEqual({ kind: 'unchanged' });
    else
      await expect(planned).rejects.toMatchObject({
        code: 'cgroup-driver-differs',
        message: expect.stringContaining(message),
        hint: expect.stringContaining('kube_cluster_cgroup_driver: cgroupfs'),
      });
  });
});
