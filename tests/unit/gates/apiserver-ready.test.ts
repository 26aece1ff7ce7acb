import { describe, expect, test } from '@jest/globals';
import type { ApiserverProcess } from '../../../src/facts/apiserver-processes.js';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { apiserverReady, isConnected } from '../../../src/gates/apiserver-ready.js';
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

const QUESTION = httpsKey({ url: 'https://127.0.0.1:6443/readyz' });

test('is judged on every host of the batch, and waits as long as the slowest control plane may take', async () => {
  const [one] = SAMPLE_CLUSTER.controlPlanes;
  if (one === undefined) throw new Error('the sample has no control plane');
  const cluster = {
    ...SAMPLE_CLUSTER,
    controlPlanes: [one, { ...one, host: 'cp-2', readyTimeoutMs: one.readyTimeoutMs + 1 }],
  };
  const gate = apiserverReady(cluster);
  expect([gate.name, gate.deadlineMs]).toEqual(['apiserver-ready', one.readyTimeoutMs + 1]);
  const host = (process: ApiserverProcess) => ({
    'apiserver-processes': { 'kube-apiserver': [process] },
    'https-answers': { [QUESTION]: OK },
  });
  const check = async (...processes: readonly ApiserverProcess[]) =>
    gate.check(
      gateInput(fakeProbes(Object.fromEntries(processes.map((each, index) => [`cp-${index + 1}`, host(each)]))), {
        batch: ['cp-1', 'cp-2'],
        arguments: { arguments: [WANTED] },
      }),
    );
  expect(await check(NEW, NEW)).toEqual({ open: true });
  expect(await check(NEW, OLD)).toMatchObject({
    open: false,
    reason: expect.stringMatching(/^cp-2: .*old arguments$/),
  });
  expect(await check(OLD, OLD)).toMatchObject({ reason: expect.stringMatching(/^cp-1: .*; cp-2: /) });
});

test('is not passed by a process that has only some of the wanted arguments, whichever comes first', async () => {
  const wanted = [WANTED, '--etcd-cafile=/pki/new-ca.crt'];
  const check = async (argv: readonly string[]) => {
    const process = { ...NEW, argv };
    const host = { 'apiserver-processes': { 'kube-apiserver': [process] }, 'https-answers': { [QUESTION]: OK } };
    return apiserverReady(SAMPLE_CLUSTER).check(
      gateInput(fakeProbes({ 'cp-1': host }), { batch: ['cp-1'], arguments: { arguments: wanted } }),
    );
  };
  expect(await check(['kube-apiserver', ...wanted])).toEqual({ open: true });
  for (const other of [
    [WANTED],
    [WANTED, '--etcd-cafile=/pki/ca.crt'],
    ['--etcd-servers=https://10.0.0.1:2379', '--etcd-cafile=/pki/new-ca.crt'],
  ])
    expect(await check(['kube-apiserver', ...other])).toMatchObject({ open: false });
});

test.each([
  [[NEW, { ...NEW, pid: 21, connections: [] }], 'kube-apiserver (pid 21) has no connection to its etcd'],
  [
    [
      { ...NEW, connections: [] },
      { ...NEW, pid: 21, connections: [] },
    ],
    'kube-apiserver (pid 20, 21) has no',
  ],
  [[OLD, { ...OLD, pid: 11 }], 'kube-apiserver (pid 10, 11) still runs with the old arguments'],
])('names all processes that are not as wanted: %#', async (processes, reason) => {
  const host = { 'apiserver-processes': { 'kube-apiserver': processes }, 'https-answers': { [QUESTION]: OK } };
  const input = gateInput(fakeProbes({ 'cp-1': host }), { batch: ['cp-1'], arguments: { arguments: [WANTED] } });
  expect(await apiserverReady(SAMPLE_CLUSTER).check(input)).toMatchObject({
    open: false,
    reason: expect.stringContaining(reason),
  });
});

test.each([
  [[], '127.0.0.1:6443'],
  [['--bind-address=0.0.0.0'], '127.0.0.1:6443'],
  [['--bind-address=::', '--secure-port=8443'], '127.0.0.1:8443'],
  [['--bind-address=10.0.0.11', '--secure-port=443'], '10.0.0.11:443'],
  [['--bind-address=fd00::11'], '[fd00::11]:6443'],
])('with %j is asked at %s', async (more, authority) => {
  const argv = ['kube-apiserver', WANTED, ...more];
  const host = {
    'apiserver-processes': { 'kube-apiserver': [{ ...NEW, argv }] },
    'https-answers': { [httpsKey({ url: `https://${authority}/readyz` })]: OK },
  };
  const input = gateInput(fakeProbes({ 'cp-1': host }), { batch: ['cp-1'], arguments: { arguments: [WANTED] } });
  expect(await apiserverReady(SAMPLE_CLUSTER).check(input)).toEqual({ open: true });
});

describe('a connection to etcd', () => {
  const end = (address: string, port: number) => ({ address, port });
  test.each([
    ['https://10.0.0.1:2379', [end('10.0.0.1', 2379)], true],
    ['https://10.0.0.1:2379', [end('10.0.0.9', 443), end('10.0.0.1', 2379)], true],
    ['https://10.0.0.1:2379', [end('10.0.0.1', 2380)], false],
    ['https://10.0.0.1:2379', [end('10.0.0.2', 2379)], false],
    ['https://10.0.0.1:2379,https://10.0.0.2:2379', [end('10.0.0.2', 2379)], true],
    ['https://[fd00::1]:2379', [end('fd00::1', 2379)], true],
    ['https://[fd00::1]:2379', [end('fd00::2', 2379)], false],
    ['https://etcd.example:2379', [], true],
    ['no URL,https://10.0.0.1:2379', [end('10.0.0.1', 2379)], true],
    ['no URL', [end('10.0.0.1', 2379)], false],
  ])('to %s over %j: %s', (servers, connections, expected) => {
    expect(isConnected({ pid: 1, argv: ['kube-apiserver', `--etcd-servers=${servers}`], connections })).toBe(expected);
  });

  test('is none where the arguments name no etcd', () => {
    expect(isConnected({ pid: 1, argv: ['kube-apiserver'], connections: [end('10.0.0.1', 2379)] })).toBe(false);
  });
});

test.each([
  ['was started after its files were changed', [{ pid: 20, startedAt: 101 }], { open: true }],
  [
    'was started before',
    [{ pid: 20, startedAt: 99 }],
    {
      open: false,
      reason: 'cp-1: kube-apiserver (pid 20) was started before /ca, /gone was changed, and is to end',
      patienceMs: 30_000,
    },
  ],
  [
    'ends beside the new one',
    [
      { pid: 20, startedAt: 101 },
      { pid: 9, startedAt: 1 },
    ],
    { open: false },
  ],
])('runs with its files where it %s', async (_, starts, expected) => {
  const probes = fakeProbes({
    'cp-1': {
      'apiserver-processes': { 'kube-apiserver': [NEW] },
      'program-starts': { 'kube-apiserver': starts },
      'file-states': { '/ca': { kind: 'file', changedAt: 100 }, '/gone': { kind: 'absent' } },
      'https-answers': { [QUESTION]: OK },
    },
  });
  const given = { batch: ['cp-1'], arguments: { runsWith: ['/ca', '/gone'] } };
  expect(await apiserverReady(SAMPLE_CLUSTER).check(gateInput(probes, given))).toMatchObject(expected);
});
