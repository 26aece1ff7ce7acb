import { expect, test } from '@jest/globals';
import { formerNodesMayLeave } from '../../../src/gates/former-nodes-may-leave.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { GateAnswer } from '../../../src/model/gate.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleBalancer, sampleNode } from '../../support/sample-cluster.js';

const KUBELET = '/etc/kubernetes/kubelet.conf';
const PROXY = '/etc/haproxy/haproxy.cfg';
const [control] = SAMPLE_CLUSTER.controlPlanes;

const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  services: [{ ...SAMPLE_SERVICE, name: 'kube-apiserver', balancers: [sampleBalancer(1)] }],
  controlPlanes: ['cp-1', 'cp-2', 'cp-3'].flatMap((host) => (control === undefined ? [] : [{ ...control, host }])),
  kubernetes: {
    ...SAMPLE_CLUSTER.kubernetes,
    nodes: [sampleNode('worker-1', 'worker')],
    formerNodes: [{ host: 'cp-4', address: '10.0.0.14' }],
  },
};

interface Seen {
  readonly answering?: readonly string[];
  readonly leaving?: FakeAnswers;
  readonly proxy?: string;
  readonly server?: string;
  readonly endpoint?: string;
  /** A line before that of the endpoint. */
  readonly noted?: string;
  readonly kubeProxy?: string;
  readonly balancer?: FakeAnswers;
  readonly worker?: FakeAnswers;
  readonly objects?: 'silent' | 'half silent';
  /** Says that everything leads to the virtual IP. */
  readonly lying?: string;
}

const server = (isThere: boolean): FakeAnswers => ({
  paths: { '/etc/kubernetes/manifests/kube-apiserver.yaml': isThere },
});

async function ask(seen: Seen, cluster = CLUSTER, batch = ['cp-4', 'cp-5']): Promise<GateAnswer> {
  const { answering = ['cp-1', 'cp-2', 'cp-3'], leaving = server(true), proxy = '', server: url = '10.0.0.99' } = seen;
  const controlPlanes = ['cp-1', 'cp-2', 'cp-3'].map((host): [string, FakeAnswers] => {
    const answer = answering.includes(host) ? { kind: 'found', object: {} } : { kind: 'silent', reason: 'x' };
    const { endpoint = '10.0.0.99:8443', kubeProxy = '10.0.0.99' } = host === seen.lying ? {} : seen;
    const quiet = { kind: 'silent', reason: 'x' };
    const told = seen.objects === undefined ? undefined : quiet;
    const object = { data: { 'kubeconfig.conf': `    server: https://${kubeProxy}:6443\n` } };
    const configuration = `${seen.noted ?? ''}\ncontrolPlaneEndpoint: ${endpoint}\n`;
    return [
      host,
      {
        'apiserver-objects': {
          '/api/v1/namespaces/kube-system': answer,
          '/api/v1/namespaces/kube-system/configmaps/kube-proxy': told ?? { kind: 'found', object },
        },
        'kubeadm-config': {
          'kubeadm-config': seen.objects === 'silent' ? quiet : { kind: 'found', configuration },
        },
      },
    ];
  });
  const hosts = {
    ...Object.fromEntries(controlPlanes),
    ...{ 'cp-4': leaving, 'cp-5': leaving },
    'etcd-1': seen.balancer ?? { 'file-contents': { [PROXY]: proxy } },
    'worker-1': seen.worker ?? {
      'file-contents': { [KUBELET]: `clusters:\n- cluster:\n    server: https://${url}:6443\n` },
    },
  };
  return formerNodesMayLeave(cluster).check(gateInput(fakeProbes(hosts), { batch }));
}

test.each<readonly [string, Seen, true | RegExp]>([
  ['all answer, and nobody is led to it', {}, true],
  ['most answer', { answering: ['cp-1', 'cp-3'] }, true],
  ['one of three answers', { answering: ['cp-1'] }, /1 of 3 API servers that stay answer/],
  ['none answers', { answering: [] }, /0 of 3/],
  [
    'the load balancer names it',
    { proxy: 'server cp-4 10.0.0.14:6443' },
    /haproxy\.cfg on etcd-1 leads to the API server of cp-4/,
  ],
  ['another address that begins the same', { proxy: 'server cp-4 10.0.0.140:6443' }, true],
  ['a kubelet uses it', { server: '10.0.0.14' }, /the kubelet of worker-1 uses https:\/\/10\.0\.0\.14:6443/],
  [
    "the load balancer's configuration can't be read",
    { balancer: UNREACHABLE },
    /haproxy\.cfg on etcd-1 could not be read/,
  ],
  ["a kubelet can't be read: it has what kubeadm gave it", { worker: UNREACHABLE }, true],
  ['nobody tells what kubeadm gives', { objects: 'silent' }, /no control plane tells kube-system\/kubeadm-config/],
  [
    'nobody tells what kube-proxy has',
    { objects: 'half silent' },
    /no control plane tells kube-system\/kubeadm-config/,
  ],
  ['a line that ends as the endpoint does is none', { noted: '# once controlPlaneEndpoint: 10.0.0.14:6443' }, true],
  ['kubeadm leads to it', { endpoint: '10.0.0.14:6443' }, /kubeadm-config uses https:\/\/10\.0\.0\.14:6443/],
  ['the first control plane hides that', { lying: 'cp-1', endpoint: '10.0.0.14:6443' }, /kubeadm-config uses/],
  ['kube-proxy uses it', { kubeProxy: '10.0.0.14' }, /kube-proxy uses/],
  ['a name that nobody knows', { endpoint: 'api.example.com:6443' }, /whether that leads to .* is not known/],
  ['the name of the virtual IP', { server: 'etcd.example.com' }, true],
  ['it has no API server: a worker', { leaving: server(false), server: '10.0.0.14', proxy: '10.0.0.14:6443' }, true],
  ["it can't be asked, and may have one", { leaving: UNREACHABLE, server: '10.0.0.14' }, /uses/],
])('%s', async (_, seen, expected) => {
  const answer = await ask(seen);
  if (expected === true) expect(answer).toEqual({ open: true });
  else expect(answer.open ? '' : answer.reason).toMatch(expected);
});

test('what could not be read is asked again; what leads to it is not', async () => {
  expect(await ask({ balancer: UNREACHABLE })).toMatchObject({ open: false, isFinal: false });
  expect(await ask({ server: '10.0.0.14' })).toMatchObject({ open: false, isFinal: true });
});

test('too few answer: whoever does not is named, and the first of them is to be looked at', async () => {
  expect(await ask({ answering: ['cp-1'] })).toEqual({
    open: false,
    reason: '1 of 3 API servers that stay answer, and most of them must: cp-2, cp-3 do not',
    next: 'ssh cp-2 sudo crictl ps -a --name kube-apiserver',
  });
});

test('a name is given as it stands there', async () => {
  expect(await ask({ endpoint: 'api.example.com:6443' })).toMatchObject({
    reason:
      'kube-system/kubeadm-config uses https://api.example.com:6443: whether that leads to an API server that is about to leave is not known',
  });
});

test('who uses it is listed in one order: the load balancer, kubelets, kubeadm, kube-proxy', async () => {
  const ip = '10.0.0.14';
  expect(await ask({ proxy: `server x ${ip}:6443`, server: ip, endpoint: `${ip}:6443`, kubeProxy: ip })).toMatchObject({
    reason: [
      '/etc/haproxy/haproxy.cfg on etcd-1 leads to the API server of cp-4, which is about to leave',
      ...['the kubelet of worker-1', 'kube-system/kubeadm-config', 'kube-system/kube-proxy'].map(
        (who) => `${who} uses https://${ip}:6443, the API server of cp-4, which is about to leave`,
      ),
    ].join('; '),
    next: 'provision apply INVENTORY --playbook apiserver-lb',
  });
});

test('every node that is to leave is named', async () => {
  const formerNodes = ['4', '5'].map((number) => ({ host: `cp-${number}`, address: `10.0.0.1${number}` }));
  const cluster = { ...CLUSTER, kubernetes: { ...CLUSTER.kubernetes, formerNodes } };
  const proxy = 'server a 10.0.0.14:6443\nserver b 10.0.0.15:6443';
  expect(await ask({ proxy }, cluster)).toMatchObject({
    reason: ['cp-4', 'cp-5']
      .map((host) => `${PROXY} on etcd-1 leads to the API server of ${host}, which is about to leave`)
      .join('; '),
  });
});

test('of a batch those are asked about that are in it; of a batch of others all', async () => {
  const formerNodes = ['4', '5'].map((number) => ({ host: `cp-${number}`, address: `10.0.0.1${number}` }));
  const cluster = { ...CLUSTER, kubernetes: { ...CLUSTER.kubernetes, formerNodes } };
  const proxy = 'server b 10.0.0.15:6443';
  expect(await ask({ proxy }, cluster, ['cp-4'])).toEqual({ open: true });
  expect(await ask({ proxy }, cluster, ['cp-5'])).toMatchObject({ open: false });
  expect(await ask({ proxy }, cluster, ['cp-1'])).toMatchObject({ open: false });
});

test('without former nodes it is open', async () => {
  const gate = formerNodesMayLeave(SAMPLE_CLUSTER);
  expect(await gate.check(gateInput(new Map()))).toEqual({ open: true });
});

test('half of the control planes that stay are not most of them', async () => {
  const two = { ...CLUSTER, controlPlanes: CLUSTER.controlPlanes.slice(0, 2) };
  expect(await ask({ answering: ['cp-1'] }, two)).toMatchObject({
    open: false,
    reason: expect.stringContaining(
      '1 of 2 API servers that stay answer, and most of them must: cp-2 does not',
    ) as unknown,
  });
});
