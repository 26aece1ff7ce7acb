import { expect, test } from '@jest/globals';
import type { ApiserverProcess } from '../../../src/facts/apiserver-processes.js';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { apiserverReady } from '../../../src/gates/apiserver-ready.js';
import { fakeProbes } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { gateInput } from '../../support/gate-input.js';

const WANTED = '--etcd-servers=https://10.0.0.100:2379';
const VIP = { address: '10.0.0.100', port: 2379 };
const NEW: ApiserverProcess = { pid: 20, argv: ['kube-apiserver', WANTED, '--secure-port=6443'], connections: [VIP] };
const OLD: ApiserverProcess = {
  pid: 10,
  argv: ['kube-apiserver', '--etcd-servers=https://10.0.0.1:2379'],
  connections: [{ address: '10.0.0.1', port: 2379 }],
};
const OK = { kind: 'answer', status: 200, body: 'ok' };
const UNREADY = {
  kind: 'answer',
  status: 500,
  body: '[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed',
};

test.each([
  ['the new one is ready', [NEW], OK, { open: true }],
  [
    'none runs',
    [],
    OK,
    {
      open: false,
      reason: 'cp-1: no kube-apiserver runs; after crashes the kubelet waits 10 s to 5 min before the next start',
      patienceMs: 0,
    },
  ],
  [
    'the old one still answers',
    [OLD],
    OK,
    { open: false, reason: 'cp-1: kube-apiserver (pid 10) still runs with the old arguments' },
  ],
  [
    'the old one runs beside the new one',
    [NEW, OLD],
    OK,
    {
      open: false,
      reason: 'cp-1: the old kube-apiserver (pid 10) is ending beside the new one: the kubelet gives it 30 s',
      patienceMs: 30_000,
    },
  ],
  [
    'it is not connected to the virtual IP',
    [{ ...NEW, connections: [] }],
    OK,
    { open: false, reason: 'cp-1: kube-apiserver (pid 20) has no connection to its etcd' },
  ],
  [
    'it is not ready',
    [NEW],
    UNREADY,
    { open: false, reason: 'cp-1: /readyz answers 500: [-]etcd failed: reason withheld' },
  ],
  [
    'nothing answers',
    [NEW],
    { kind: 'failure', reason: 'Connection refused' },
    { open: false, reason: 'cp-1: /readyz fails: Connection refused' },
  ],
])('%s', async (_, processes, answer, expected) => {
  const probes = fakeProbes({
    'cp-1': {
      'apiserver-processes': { 'kube-apiserver': processes },
      'https-answers': { [httpsKey({ url: 'https://127.0.0.1:6443/readyz' })]: answer },
    },
  });
  expect(
    await apiserverReady(SAMPLE_CLUSTER).check(
      gateInput(probes, { batch: ['cp-1'], arguments: { arguments: [WANTED] } }),
    ),
  ).toMatchObject(expected);
});

test('is asked where it listens, with its own client certificate', async () => {
  const argv = [
    ...NEW.argv,
    '--bind-address=10.0.0.11',
    '--kubelet-client-certificate=/pki/kubelet.crt',
    '--kubelet-client-key=/pki/kubelet.key',
  ];
  const question = { url: 'https://10.0.0.11:6443/readyz', certificate: '/pki/kubelet.crt', key: '/pki/kubelet.key' };
  const probes = fakeProbes({
    'cp-1': {
      'apiserver-processes': { 'kube-apiserver': [{ ...NEW, argv }] },
      'https-answers': { [httpsKey(question)]: OK },
    },
  });
  expect(await apiserverReady(SAMPLE_CLUSTER).check(gateInput(probes, { arguments: { arguments: [WANTED] } }))).toEqual(
    { open: true },
  );
});

test('a kube-apiserver whose certificate came late may be in the longest pause of the kubelet', async () => {
  const probes = fakeProbes({ 'cp-1': { 'apiserver-processes': { 'kube-apiserver': [] } } });
  expect(await apiserverReady(SAMPLE_CLUSTER).check(gateInput(probes, { batch: ['cp-1'] }))).toMatchObject({
    open: false,
    next: 'ssh cp-1 sudo systemctl restart kubelet',
    patienceMs: 300_000,
  });
});
