import { beforeAll, describe, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { HttpsAnswer } from '../../../src/facts/https-answer.js';
import { kubeconfigAnswerKey } from '../../../src/facts/kubeconfig-answer.js';
import { ADMINISTRATORS, credentialsOf, readKubeconfig } from '../../../src/facts/kubeconfig.js';
import { joinSeen } from '../../../src/gates/join-seen.js';
import { kubeletReady } from '../../../src/gates/kubelet-ready.js';
import { runtimeReady } from '../../../src/gates/runtime-ready.js';
import { vipAnswersKubeconfigs } from '../../../src/gates/vip-answers-kubeconfigs.js';
import type { GateAnswer } from '../../../src/model/gate.js';
import type { JoinSeen } from '../../../src/model/kubernetes.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { kubeletConf } from '../../support/kubeconfigs.js';
import { kubeletCertificate } from '../../support/kubelet-certificate.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, sampleNode } from '../../support/sample-cluster.js';

const FILE = '/etc/kubernetes/kubelet.conf';
const ADMIN = '/etc/kubernetes/admin.conf';
const OLD = 'https://10.0.0.12:6443';
const VIP = 'https://10.0.0.200:8443';
const DIRECT = 'https://10.0.0.11:6443';
const NODE = '/api/v1/nodes/worker-1';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-1';
const CLUSTER = { ...SAMPLE_CLUSTER, services: [SAMPLE_APISERVER], nodes: ['worker-1', 'worker-2'] };

let pem = '';
beforeAll(async () => {
  pem = await kubeletCertificate('worker-1');
});

function keyOf(server: string, url: string): string {
  return kubeconfigAnswerKey({
    file: FILE,
    url,
    credentials: credentialsOf(readKubeconfig(FILE, kubeletConf(server))),
  });
}

function uid(text: string): HttpsAnswer {
  return { kind: 'answer', status: 200, body: JSON.stringify({ metadata: { uid: text } }) };
}

const SILENT: HttpsAnswer = { kind: 'failure', reason: 'no route' };

/** A worker, and what comes back at each URL. */
function worker(server: string, answers: Readonly<Record<string, HttpsAnswer>>): FakeAnswers {
  return {
    'kubelet-processes': { kubelet: [] },
    'file-contents': { [FILE]: kubeletConf(server) },
    'certificate-files': { [certificateFilesKey('/var/lib/kubelet/pki/kubelet-client-current.pem')]: { pem } },
    'kubeconfig-answers': Object.fromEntries(
      Object.entries(answers).map(([url, answer]) => [keyOf(server, url), answer]),
    ),
    units: { kubelet: { active: true, startedAt: 1_790_000_000.5 } },
    paths: { [ADMIN]: true },
  };
}

describe('before a kubeconfig is moved, the virtual IP answers', () => {
  const ask = async (...workers: readonly FakeAnswers[]): Promise<GateAnswer> => {
    const hosts = Object.fromEntries(workers.map((answers, index) => [`worker-${index + 1}`, answers]));
    const play = Object.keys(hosts);
    const input = gateInput(fakeProbes(hosts), { when: 'before', batch: ['worker-1'], play });
    return vipAnswersKubeconfigs(SAMPLE_APISERVER, CLUSTER).check(input);
  };

  test('as the cluster that its present server is', async () => {
    const answers = { [`${VIP}${NODE}`]: uid('one'), [`${OLD}${NODE}`]: uid('one') };
    expect(await ask(worker(OLD, answers))).toEqual({ open: true, note: 'asked from worker-1' });
  });

  test('as the API servers of the inventory are, where its present server is gone', async () => {
    const answers = { [`${VIP}${NODE}`]: uid('one'), [`${OLD}${NODE}`]: SILENT, [`${DIRECT}${NODE}`]: uid('one') };
    expect(await ask(worker(OLD, answers))).toMatchObject({ open: true });
    expect(await ask(worker(VIP, { [`${VIP}${NODE}`]: uid('one'), [`${DIRECT}${NODE}`]: uid('one') }))).toMatchObject({
      open: true,
    });
  });

  test.each([
    [
      'it is another cluster',
      uid('two'),
      uid('one'),
      SILENT,
      /^from worker-1, another cluster answers at https:\/\/10\.0\.0\.200:8443 than https:\/\/10\.0\.0\.12:6443 is, asked with \/etc\/kubernetes\/kubelet\.conf$/,
    ],
    [
      'it is another cluster than the API servers',
      uid('two'),
      SILENT,
      uid('one'),
      /another cluster .* its API servers, asked directly, are/,
    ],
    ['nobody else answers', uid('one'), SILENT, SILENT, /nothing shows whose/],
    [
      'it does not answer',
      SILENT,
      uid('one'),
      SILENT,
      /8443 fails: no route, asked with \/etc\/kubernetes\/kubelet\.conf/,
    ],
    [
      'it does not know the client',
      { kind: 'answer', status: 401, body: '' },
      uid('one'),
      SILENT,
      /answers 401: it does not know this client/,
    ],
    ['it is not well', { kind: 'answer', status: 500, body: '' }, uid('one'), SILENT, /8443 answers 500, asked with/],
    [
      'it is no API server',
      { kind: 'answer', status: 200, body: 'hello' },
      uid('one'),
      SILENT,
      /no object of Kubernetes/,
    ],
  ] as const)('and else does not open: %s', async (_, through, present, direct, reason) => {
    const answers = { [`${VIP}${NODE}`]: through, [`${OLD}${NODE}`]: present, [`${DIRECT}${NODE}`]: direct };
    expect(await ask(worker(OLD, answers))).toMatchObject({ open: false, reason: expect.stringMatching(reason) });
  });

  test('to every kubeconfig of a control plane: its kubelet’s first, then those of persons', async () => {
    const none = Object.fromEntries([FILE, ...ADMINISTRATORS].map((path) => [path, undefined]));
    const own = {
      ...{ 'file-contents': none, 'kubelet-processes': { kubelet: [] } },
      paths: Object.fromEntries(ADMINISTRATORS.map((path) => [path, path === ADMIN])),
    };
    const gate = vipAnswersKubeconfigs(SAMPLE_APISERVER, { ...CLUSTER, nodes: ['cp-1'] });
    expect(await gate.check(gateInput(fakeProbes({ 'cp-1': own }), { batch: ['cp-1'] }))).toMatchObject({
      open: false,
      reason: `cp-1 has no ${FILE}; cp-1 has no ${ADMIN}`,
    });
  });

  test('to one that can be read', async () => {
    const cut = { ...worker(OLD, {}), 'file-contents': { [FILE]: 'apiVersion: v1\n' } };
    expect(await ask(cut)).toMatchObject({ open: false, reason: expect.stringContaining(FILE) as unknown });
  });

  test('on every node of the play, not only of the batch', async () => {
    const good = worker(OLD, { [`${VIP}${NODE}`]: uid('one'), [`${OLD}${NODE}`]: uid('one') });
    const bad = worker(OLD, { [`${VIP}${NODE}`]: SILENT, [`${OLD}${NODE}`]: uid('one') });
    expect(await ask(good, bad)).toMatchObject({ open: false, reason: expect.stringMatching(/^from worker-2, /) });
  });

  test('to the file of an action only', async () => {
    const answers = worker(OLD, { [`${VIP}${NODE}`]: uid('one'), [`${OLD}${NODE}`]: uid('one') });
    const input = gateInput(fakeProbes({ 'worker-1': answers }), {
      when: 'action',
      batch: ['worker-1'],
      arguments: { path: FILE },
    });
    expect(await vipAnswersKubeconfigs(SAMPLE_APISERVER, CLUSTER).check(input)).toMatchObject({ open: true });
    const none = gateInput(fakeProbes({ 'worker-1': { 'file-contents': { '/none': undefined } } }), {
      batch: ['worker-1'],
      arguments: { path: '/none' },
    });
    expect(await vipAnswersKubeconfigs(SAMPLE_APISERVER, CLUSTER).check(none)).toMatchObject({
      reason: 'worker-1 has no /none',
    });
  });
});

describe('after its restart, a kubelet', () => {
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const nodeObject = (at: number, status = 'True'): HttpsAnswer => ({
    kind: 'answer',
    status: 200,
    body: JSON.stringify({
      status: {
        conditions: [{ type: 'Ready', status, lastHeartbeatTime: time(at).replace(/\.\d+/, ''), message: 'PLEG' }],
      },
    }),
  });
  const lease = (at: number): HttpsAnswer => ({
    kind: 'answer',
    status: 200,
    body: JSON.stringify({ spec: { renewTime: time(at) } }),
  });
  const ask = async (node: HttpsAnswer, renewal: HttpsAnswer, changes: FakeAnswers = {}): Promise<GateAnswer> => {
    const answers = { ...worker(VIP, { [`${VIP}${NODE}`]: node, [`${VIP}${LEASE}`]: renewal }), ...changes };
    return kubeletReady(CLUSTER).check(gateInput(fakeProbes({ 'worker-1': answers }), { batch: ['worker-1'] }));
  };
  const START = 1_790_000_000;

  test('is ready when it has renewed its lease and reported its node since', async () => {
    expect(await ask(nodeObject(START), lease(START + 1))).toEqual({ open: true });
  });

  test.each([
    ['the lease is of the process before', nodeObject(START + 9), lease(START), /not renewed its lease/],
    ['the report is of the process before', nodeObject(START - 1), lease(START + 1), /not reported its node/],
    ['its node is not Ready', nodeObject(START + 1, 'False'), lease(START + 1), /not Ready: PLEG/],
    ['nobody answers', SILENT, lease(START + 1), /8443 fails: no route/],
    ['it fails in two ways', { kind: 'answer', status: 503, body: '' }, SILENT, /answers 503$/],
    ['it is not known', { kind: 'answer', status: 403, body: '' }, lease(START + 1), /answers 403/],
    ['there is no lease', nodeObject(START + 1), { kind: 'answer', status: 200, body: '7' }, /not renewed/],
    [
      'the node is nonsense',
      { kind: 'answer', status: 200, body: '{"status":{"conditions":7}}' },
      lease(START + 1),
      /not reported/,
    ],
  ] as const)('is not ready where %s', async (_, node, renewal, reason) => {
    expect(await ask(node, renewal)).toEqual({
      open: false,
      reason: expect.stringMatching(reason),
      next: 'ssh worker-1 sudo journalctl -u kubelet -n 50',
    });
  });

  test.each([
    [START + 4, false],
    [START + 5, false],
    [START + 6, true],
  ])('is ready on new containerd, started at second 5, when its lease is newer than that: %i', async (at, open) => {
    const own = worker(VIP, { [`${VIP}${NODE}`]: nodeObject(START + 9), [`${VIP}${LEASE}`]: lease(at) });
    const units = { ...own['units'], containerd: { active: true, startedAt: START + 5 } };
    const host = { ...own, units, paths: { [FILE]: true } };
    const answer = await runtimeReady(CLUSTER).check(
      gateInput(fakeProbes({ 'worker-1': host }), { batch: ['worker-1'] }),
    );
    expect(answer).toMatchObject(open ? { open } : { open, reason: expect.stringContaining('since containerd was') });
  });

  test('is not ready where its kubeconfig can not be read', async () => {
    const cut = { 'file-contents': { [FILE]: 'apiVersion: v1\n' } };
    expect(await ask(nodeObject(START), lease(START + 1), cut)).toMatchObject({
      open: false,
      reason: expect.stringMatching(/^worker-1: .*kubelet\.conf/) as unknown,
    });
  });

  test('is not ready where it does not run', async () => {
    const stopped = { units: { kubelet: { active: false } } };
    expect(await ask(nodeObject(START), lease(START + 1), stopped)).toMatchObject({
      reason: 'worker-1: its kubelet does not run',
    });
  });
});

describe('how far a join came whose mark is left', () => {
  const CONTROL_PLANE = ['node-role.kubernetes.io/control-plane'];
  const SOCKET = { 'kubeadm.alpha.kubernetes.io/cri-socket': '/run/containerd/containerd.sock' };
  const VIP_NODE = `${VIP}${NODE}`;
  const answerOf = (object: unknown, status = 200): HttpsAnswer => ({
    kind: 'answer',
    status,
    body: JSON.stringify(object),
  });

  async function ask(kind: 'worker' | 'control-plane', own: FakeAnswers): Promise<JoinSeen> {
    const probe = fakeProbes({ 'worker-1': own }).get('worker-1');
    if (probe === undefined) throw new Error('no probe');
    return joinSeen(probe, { ...sampleNode('worker-1', kind), address: '10.0.0.21' });
  }

  /** A node as the API server has it: of its being Ready it says what a node says that was rebooted. */
  function nodeWith(
    labels: readonly string[],
    addresses: unknown = [null, { type: 'InternalIP', address: '10.0.0.21' }],
    annotations: unknown = SOCKET,
  ) {
    const metadata = { name: 'worker-1', annotations, labels: Object.fromEntries(labels.map((label) => [label, ''])) };
    return { metadata, status: { addresses, conditions: [{ type: 'Ready', status: 'Unknown' }] } };
  }

  test.each<[string, 'worker' | 'control-plane', unknown, JoinSeen]>([
    ['a worker is there', 'worker', nodeWith([]), 'finished'],
    ['a control plane is there', 'control-plane', nodeWith(CONTROL_PLANE), 'finished'],
    ['so is one of before', 'control-plane', nodeWith(['node-role.kubernetes.io/master']), 'finished'],
    ['a control plane is not marked as one yet', 'control-plane', nodeWith([]), 'registered'],
    ['its runtime is not noted yet', 'worker', nodeWith([], undefined, {}), 'registered'],
    ['nothing is noted yet', 'control-plane', nodeWith(CONTROL_PLANE, undefined, null), 'registered'],
    ['the node is at another address', 'worker', nodeWith([], [{ address: '10.0.0.210' }]), 'unfinished'],
    ['its addresses are nonsense', 'worker', nodeWith([], 7), 'unfinished'],
    [
      'another node is there',
      'worker',
      { metadata: { name: 'x' } },
      { unclear: `${VIP} answers with no node worker-1` },
    ],
    ['no object is there', 'worker', 7, { unclear: `${VIP} answers with no node worker-1` }],
  ])('%s', async (_, kind, object, expected) => {
    const own = worker(VIP, { [VIP_NODE]: answerOf(object) });
    expect(await ask(kind, own)).toEqual(expected);
    // It has just been rebooted, and its kubelet does not run yet.
    expect(await ask(kind, { ...own, units: { kubelet: { active: false } } })).toEqual(expected);
  });

  const refusal = { kind: 'Status', reason: 'NotFound', details: { name: 'worker-1', kind: 'nodes' } };
  test.each<[string, HttpsAnswer, JoinSeen]>([
    ['its node is not there', answerOf(refusal, 404), 'unfinished'],
    ['it may not be asked for', answerOf({ ...refusal, reason: 'Forbidden' }, 404), { unclear: `${VIP} answers 404` }],
    ['something else has no such page', answerOf({}, 404), { unclear: `${VIP} answers 404` }],
    ['it is not known', answerOf({}, 401), { unclear: `${VIP} answers 401` }],
    ['no API server is behind the load balancer', answerOf('', 503), { unclear: `${VIP} answers 503` }],
    ['nobody answers', SILENT, { unclear: `${VIP} fails: no route` }],
  ])('%s', async (_, answer, expected) => {
    expect(await ask('worker', worker(VIP, { [VIP_NODE]: answer }))).toEqual(expected);
  });

  test('its kubelet is no one’s yet', async () => {
    expect(await ask('worker', { ...worker(VIP, {}), 'file-contents': { [FILE]: undefined } })).toBe('unfinished');
  });

  test('its kubeconfig is nobody’s', async () => {
    const cut = { ...worker(VIP, {}), 'file-contents': { [FILE]: 'apiVersion: v1\n' } };
    expect(await ask('worker', cut)).toEqual({ unclear: expect.stringContaining(FILE) });
    const path = certificateFilesKey('/var/lib/kubelet/pki/kubelet-client-current.pem');
    const gone = { ...worker(VIP, {}), 'certificate-files': { [path]: { pem: '' } } };
    expect(await ask('worker', gone)).toEqual({ unclear: `${FILE} is of no node` });
  });
});
