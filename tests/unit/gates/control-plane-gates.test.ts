import { describe, expect, test } from '@jest/globals';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { directQuestion, etcdAnswersDirectly } from '../../../src/gates/etcd-answers-directly.js';
import { vipAnswersControlPlanes } from '../../../src/gates/vip-answers-control-planes.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_SERVICE, SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { gateInput } from '../../support/gate-input.js';
import type { GateInput } from '../../../src/model/gate.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const FILES = { ca: '/pki/ca.crt', certificate: '/pki/etcd.crt', key: '/pki/etcd.key' };
const URL = 'https://10.0.0.100:2379/health?exclude=NOSPACE';
const GOOD = { kind: 'answer', status: 200, body: '{"health":"true"}' };
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  controlPlanes: SAMPLE_CLUSTER.controlPlanes.flatMap((one) => [one, { ...one, host: 'cp-2' }]),
};

const TEXT = `spec:
  containers:
  - name: kube-apiserver
    command:
    - kube-apiserver
    - --etcd-servers=https://10.0.0.1:2379
    - --etcd-cafile=${FILES.ca}
    - --etcd-certfile=${FILES.certificate}
    - --etcd-keyfile=${FILES.key}
`;

/** A control plane whose kube-apiserver has its files, but for what is said. */
function controlPlane({ answer = GOOD, text, missing }: { answer?: object; text?: null; missing?: string }) {
  return {
    'file-contents': { [MANIFEST]: text === null ? undefined : TEXT },
    paths: Object.fromEntries(Object.values(FILES).map((file) => [file, file !== missing])),
    'https-answers': { [httpsKey({ url: URL, ...FILES })]: answer },
  };
}

describe('vip-answers-control-planes', () => {
  const BEFORE = { when: 'before', play: ['cp-1', 'cp-2'], batch: ['cp-1'] } as const;
  const check = async (second: FakeAnswers, input: Partial<GateInput>) =>
    vipAnswersControlPlanes(SAMPLE_SERVICE, CLUSTER).check(
      gateInput(fakeProbes({ 'cp-1': controlPlane({}), 'cp-2': second }), input),
    );

  test('is open when etcd answers all of them', async () => {
    expect(await check(controlPlane({}), BEFORE)).toEqual({ open: true, note: 'asked from cp-1, cp-2' });
  });

  test.each([
    [
      'is not answered',
      { answer: { kind: 'failure', reason: 'curl: (28) Connection timed out' } },
      `from cp-2, ${URL} fails: curl: (28) Connection timed out (shown /pki/etcd.crt, verified by /pki/ca.crt)`,
    ],
    [
      'meets an etcd without quorum',
      { answer: { kind: 'answer', status: 503, body: '{"health":"false"}' } },
      `from cp-2, ${URL} answers 503: {"health":"false"} (shown /pki/etcd.crt, verified by /pki/ca.crt)`,
    ],
    [
      'has a missing file',
      { answer: { kind: 'failure', reason: 'x' }, missing: FILES.key },
      'cp-2 has no /pki/etcd.key, which its kube-apiserver shows or verifies by',
    ],
    ['has no manifest', { text: null }, `cp-2 has no ${MANIFEST}`],
  ] as const)('keeps the first one waiting when a later one %s', async (_, second, reason) => {
    expect(await check(controlPlane(second), BEFORE)).toMatchObject({ open: false, reason });
  });

  test('asks none that --limit left out, and after a batch only its own', async () => {
    const dead = controlPlane({ answer: { kind: 'failure', reason: 'x' } });
    const open = { open: true, note: 'asked from cp-1' };
    expect(await check(dead, { ...BEFORE, play: ['cp-1'] })).toEqual(open);
    expect(await check(dead, { ...BEFORE, when: 'after' })).toEqual(open);
  });
});

describe('etcd-answers-directly', () => {
  const urls = ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'];
  const check = async (answers: readonly object[]) => {
    const asked = urls.map((url, index) => [
      httpsKey({ ...FILES, url: `${url}/health?exclude=NOSPACE` }),
      answers[index],
    ]);
    const probes = fakeProbes({ 'cp-1': { 'https-answers': Object.fromEntries(asked) as FakeAnswers } });
    return etcdAnswersDirectly(CLUSTER).check(
      gateInput(probes, { batch: ['cp-1'], arguments: directQuestion(urls, FILES) }),
    );
  };
  const DEAD = { kind: 'failure', reason: 'refused' };

  test('one member is enough, and which one is said', async () => {
    expect(await check([DEAD, GOOD])).toEqual({
      open: true,
      note: 'works: cp-1 to https://10.0.0.2:2379; from cp-1, https://10.0.0.1:2379 fails: refused',
    });
  });

  test('none is not', async () => {
    expect(await check([DEAD, { kind: 'answer', status: 503, body: '{}' }])).toMatchObject({
      open: false,
      reason: 'from cp-1, https://10.0.0.1:2379 fails: refused; from cp-1, https://10.0.0.2:2379 answers 503: {}',
    });
  });
});
