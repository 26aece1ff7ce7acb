import { describe, expect, test } from '@jest/globals';
import { httpsKey, type HttpsAnswer } from '../../../src/facts/https-answer.js';
import {
  apiserverCanSpareBatch,
  apiserverCanSpareBatchButForLost,
} from '../../../src/gates/apiserver-can-spare-batch.js';
import { apiserverReady } from '../../../src/gates/apiserver-ready.js';
import { controllersReady } from '../../../src/gates/controllers-ready.js';
import type { GateAnswer } from '../../../src/model/gate.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const [ONE] = SAMPLE_CLUSTER.controlPlanes;
if (ONE === undefined) throw new Error('the sample has no control plane');
const CLUSTER = { ...SAMPLE_CLUSTER, controlPlanes: [ONE, { ...ONE, host: 'cp-2' }] };
const URL = 'https://127.0.0.1:6443/readyz';
const CLIENT = { certificate: '/pki/kubelet-client.crt', key: '/pki/kubelet-client.key' };

const status = (code: number): HttpsAnswer => ({ kind: 'answer', status: code, body: '' });

/** An API server, by what it answers to its own client certificate and to nobody. */
function server(known: HttpsAnswer, nobody = known, runs = true, etcd = 'etcd'): FakeAnswers {
  const argv = [
    'kube-apiserver',
    `--etcd-servers=https://${etcd}:2379`,
    `--kubelet-client-certificate=${CLIENT.certificate}`,
    `--kubelet-client-key=${CLIENT.key}`,
  ];
  return {
    'apiserver-processes': { 'kube-apiserver': runs ? [{ pid: 1, argv, connections: [] }] : [] },
    'https-answers': { [httpsKey({ url: URL, ...CLIENT })]: known, [httpsKey({ url: URL })]: nobody },
  };
}

const READY = server(status(200));
const UNREADY = server(status(500));
const LOOSE = server(status(200), status(200), true, '10.0.0.1');
const GONE = server(status(200), status(200), false);

describe('apiserver-can-spare-batch', () => {
  const ask = async (one: FakeAnswers, two: FakeAnswers, batch = ['cp-1']): Promise<GateAnswer> =>
    apiserverCanSpareBatch(CLUSTER).check(
      gateInput(fakeProbes({ 'cp-1': one, 'cp-2': two }), { when: 'before', batch }),
    );

  test.each([
    ['another one is ready', READY, READY, { open: true }],
    ['the one of the batch does not serve', UNREADY, READY, { open: true }],
    ['none serves', GONE, UNREADY, { open: true, note: 'no API server serves' }],
    [
      'no other one is ready',
      READY,
      UNREADY,
      { open: false, reason: 'no other API server is ready: cp-2: /readyz answers 500: ' },
    ],
    [
      'no other one runs',
      READY,
      GONE,
      {
        open: false,
        reason: 'no other API server is ready: cp-2: no kube-apiserver runs',
        next: 'ssh cp-2 sudo crictl ps -a --name kube-apiserver',
      },
    ],
    [
      'the other one has lost its etcd',
      READY,
      LOOSE,
      { open: false, reason: 'no other API server is ready: cp-2: it has no connection to its etcd' },
    ],
    [
      'the other one is away',
      READY,
      UNREACHABLE,
      { open: false, reason: expect.stringContaining("can't connect") as unknown },
    ],
  ] as const)('%s', async (_, one, two, answer) => {
    expect(await ask(one, two)).toMatchObject(answer);
  });

  test('one other that is ready suffices, whichever it is', async () => {
    const cluster = { ...CLUSTER, controlPlanes: [...CLUSTER.controlPlanes, { ...ONE, host: 'cp-3' }] };
    for (const [two, three] of [
      [READY, GONE],
      [GONE, READY],
    ] as const) {
      const input = gateInput(fakeProbes({ 'cp-1': READY, 'cp-2': two, 'cp-3': three }), { batch: ['cp-1'] });
      expect(await apiserverCanSpareBatch(cluster).check(input)).toEqual({ open: true });
    }
  });

  test('there is no other: that was agreed to', async () => {
    expect(await ask(READY, READY, ['cp-1', 'cp-2'])).toMatchObject({
      open: true,
      note: 'there is no other API server: it is away while it restarts',
    });
  });
});

describe('apiserver-can-spare-batch-but-for-lost', () => {
  const ask = async (two: FakeAnswers, manifest: 'there' | 'none' = 'there'): Promise<GateAnswer> => {
    const paths = { paths: { [ONE.manifest]: manifest === 'there' } };
    const hosts = { 'cp-1': { ...READY, ...paths }, 'cp-2': { ...two, ...paths } };
    return apiserverCanSpareBatchButForLost(CLUSTER).check(
      gateInput(fakeProbes(hosts), { when: 'before', batch: ['cp-1'] }),
    );
  };
  const alone = { open: true, note: 'there is no other API server: it is away while it restarts' };

  test.each([
    ['another one is ready', READY, 'there', { open: true }],
    [
      'another one is on its way up',
      GONE,
      'there',
      {
        open: false,
        reason: 'another API server is not ready: cp-2: no kube-apiserver runs',
        next: 'ssh cp-2 sudo crictl ps -a --name kube-apiserver',
      },
    ],
    ['another one has lost its etcd', LOOSE, 'there', { open: false }],
    ['another host has joined nothing yet', GONE, 'none', alone],
  ] as const)('%s', async (_, two, manifest, answer) => {
    const seen = await ask(two, manifest);
    if (answer.open) expect(seen).toEqual(answer);
    else expect(seen).toMatchObject(answer);
  });

  test('another one that is away was left out on demand', async () => {
    const here = { ...READY, paths: { [ONE.manifest]: true } };
    const probes = fakeProbes({ 'cp-1': here, 'cp-2': UNREACHABLE });
    const gate = apiserverCanSpareBatchButForLost(CLUSTER);
    expect(await gate.check(gateInput(probes, { when: 'before', batch: ['cp-1'] }))).toEqual({
      open: true,
      note: 'not asked, for it is away: cp-2',
    });
  });

  test('the one of the batch is away: it does not serve, as far as anybody sees', async () => {
    const probes = fakeProbes({ 'cp-1': UNREACHABLE, 'cp-2': { ...UNREADY, paths: { [ONE.manifest]: true } } });
    const gate = apiserverCanSpareBatchButForLost(CLUSTER);
    expect(await gate.check(gateInput(probes, { when: 'before', batch: ['cp-1'] }))).toEqual({
      open: true,
      note: 'no API server of the batch serves',
    });
  });

  test.each([
    ['of two others each is ready', READY, READY, READY, true],
    ['of two others one is on its way up', READY, READY, GONE, false],
    ['the one of the batch does not serve', GONE, READY, UNREADY, true],
  ])('%s', async (_, one, two, three, open) => {
    const there = { paths: { [ONE.manifest]: true } };
    const hosts = { 'cp-1': { ...one, ...there }, 'cp-2': { ...two, ...there }, 'cp-3': { ...three, ...there } };
    const cluster = { ...CLUSTER, controlPlanes: [...CLUSTER.controlPlanes, { ...ONE, host: 'cp-3' }] };
    const gate = apiserverCanSpareBatchButForLost(cluster);
    expect(await gate.check(gateInput(fakeProbes(hosts), { when: 'before', batch: ['cp-1'] }))).toMatchObject({ open });
  });
});

test('an API server is not unready because its own client certificate has ended', async () => {
  const ask = async (host: FakeAnswers): Promise<GateAnswer> =>
    apiserverReady({ ...CLUSTER, controlPlanes: [ONE] }).check(
      gateInput(fakeProbes({ 'cp-1': host }), { batch: ['cp-1'] }),
    );
  expect(await ask(server(status(401), status(200)))).toEqual({ open: true });
  expect(await ask(server(status(401), status(401)))).toMatchObject({
    open: false,
    reason: 'cp-1: /readyz answers 401: ',
  });
  expect(await ask(server(status(403), status(200)))).toMatchObject({ open: false });
  expect(await ask(server(status(401), { kind: 'failure', reason: 'no answer' }))).toMatchObject({
    open: false,
    reason: 'cp-1: /readyz fails: no answer',
  });
  // One that is given no key shows its certificate all the same.
  const { 'apiserver-processes': processes, 'https-answers': answers } = server(status(401), status(200));
  const [process] = processes?.['kube-apiserver'] as readonly [{ readonly argv: readonly string[] }];
  const argv = process.argv.filter((word) => !word.startsWith('--kubelet-client-key='));
  expect(
    await ask({
      'apiserver-processes': { 'kube-apiserver': [{ ...process, argv }] },
      'https-answers': { ...answers, [httpsKey({ url: URL, certificate: CLIENT.certificate })]: status(401) },
    }),
  ).toEqual({ open: true });
});

describe('controllers-ready', () => {
  const MANIFEST = (name: string, flags: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers:\n  - name: ${name}\n    command: [${name}, --leader-elect=true${flags}]\n`;
  const CONTROLLER = '/etc/kubernetes/manifests/kube-controller-manager.yaml';
  const SCHEDULER = '/etc/kubernetes/manifests/kube-scheduler.yaml';
  const CONF = '/etc/kubernetes/scheduler.conf';
  const OTHER = '/etc/kubernetes/controller-manager.conf';

  interface Found {
    readonly starts?: readonly number[];
    readonly health?: HttpsAnswer;
    readonly scheduler?: string | undefined;
    /** Further arguments of the controller-manager. */
    readonly controller?: string;
  }

  async function ask(found: Found, runsWith?: readonly string[], batch = ['cp-1']): Promise<GateAnswer> {
    const { starts = [200], health = status(200) } = found;
    const scheduler = 'scheduler' in found ? found.scheduler : MANIFEST('kube-scheduler', ', --bind-address=127.0.0.1');
    const host: FakeAnswers = {
      'file-contents': {
        [CONTROLLER]: MANIFEST('kube-controller-manager', found.controller ?? ', --secure-port=11257'),
        [SCHEDULER]: scheduler,
      },
      'program-starts': {
        'kube-controller': [{ pid: 3, startedAt: 10 }],
        'kube-scheduler': starts.map((startedAt, index) => ({ pid: index + 4, startedAt })),
      },
      'file-states': { [CONF]: { kind: 'file', changedAt: 100 }, [OTHER]: { kind: 'file', changedAt: 5 } },
      'https-answers': {
        [httpsKey({ url: `https://127.0.0.1:${found.controller === undefined ? 11257 : 10257}/healthz` })]: status(200),
        [httpsKey({ url: 'https://127.0.0.1:10259/healthz' })]: health,
      },
    };
    const given = runsWith === undefined ? {} : { runsWith };
    const cluster = { ...CLUSTER, controlPlanes: [ONE as NonNullable<typeof ONE>] };
    return controllersReady(cluster).check(gateInput(fakeProbes({ 'cp-1': host }), { batch, arguments: given }));
  }

  test('asks all control planes where the batch has none', async () => {
    expect(await ask({ starts: [] }, [CONF], ['etcd-1'])).toMatchObject({ reason: 'cp-1: no kube-scheduler runs' });
  });

  test.each([
    ['all is well', {}, undefined, { open: true }],
    ['at the usual ports', { controller: '' }, undefined, { open: true }],
    ['a new process', {}, [CONF], { open: true }],
    [
      'the old process',
      { starts: [50] },
      [CONF],
      {
        open: false,
        reason: `cp-1: kube-scheduler (pid 4) was started before ${CONF} was changed, and is to end`,
        patienceMs: 30_000,
      },
    ],
    ['the old one beside the new one', { starts: [200, 50] }, [CONF], { open: false, patienceMs: 30_000 }],
    ['nothing was changed', { starts: [50] }, undefined, { open: true }],
    [
      'none runs',
      { starts: [] },
      [CONF],
      { open: false, reason: 'cp-1: no kube-scheduler runs', next: 'ssh cp-1 sudo crictl ps -a --name kube-scheduler' },
    ],
    [
      'it is not healthy',
      { health: status(500) },
      [CONF],
      { open: false, reason: 'cp-1: kube-scheduler: https://127.0.0.1:10259/healthz answers 500: ' },
    ],
    ['another program was changed', { starts: [] }, [OTHER], { open: true }],
    ['the kubelet does not run it', { scheduler: undefined, starts: [] }, [CONF], { open: true }],
    ['its manifest can not be read', { scheduler: '{' }, [CONF], { open: true }],
  ] as const)('%s', async (_, found, runsWith, answer) => {
    expect(await ask(found, runsWith)).toMatchObject(answer);
  });
});
