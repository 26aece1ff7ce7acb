import { describe, expect, test } from '@jest/globals';
import { kubeletReady } from '../../../src/gates/kubelet-ready.js';
import { runtimeReady } from '../../../src/gates/runtime-ready.js';
import type { Gate } from '../../../src/model/gate.js';
import { RUNNING, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const CLUSTER = { ...SAMPLE_CLUSTER, nodes: ['cp-1', 'worker-1', 'worker-2'] };
const CONF = '/etc/kubernetes/kubelet.conf';

/** A host that has joined no cluster. */
const bare = (containerd: typeof RUNNING): FakeAnswers => ({
  units: { containerd, kubelet: STOPPED },
  'kubelet-processes': { kubelet: [] },
  paths: { [CONF]: false },
});

/** Hosts that the test does not name are an error to ask. */
async function ask(gate: Gate, batch: readonly string[], hosts: Readonly<Record<string, FakeAnswers>>) {
  return gate.check(gateInput(fakeProbes(hosts), { batch }));
}

describe.each<[string, Gate, string]>([
  ['kubelet-ready', kubeletReady(CLUSTER), 'kubelet'],
  ['runtime-ready', runtimeReady(CLUSTER), 'containerd'],
])('%s', (_, gate, unit) => {
  const dead = bare(STOPPED);
  const problem = `its ${unit} does not run`;

  test('asks the nodes of the batch, and none of the others', async () => {
    expect(await ask(gate, ['worker-1', 'etcd-1'], { 'worker-1': dead })).toEqual({
      open: false,
      reason: `worker-1: ${problem}`,
      next: `ssh worker-1 sudo journalctl -u ${unit} -n 50`,
    });
  });

  test('asks every node where the batch has none', async () => {
    const all = { 'cp-1': dead, 'worker-1': dead, 'worker-2': dead };
    expect(await ask(gate, ['etcd-1'], all)).toEqual({
      open: false,
      reason: Object.keys(all)
        .map((host) => `${host}: ${problem}`)
        .join('; '),
      next: `ssh cp-1 sudo journalctl -u ${unit} -n 50`,
    });
  });
});

test('runtime-ready names the nodes whose containerd is down, and sends to the first of them', async () => {
  const hosts = { 'cp-1': bare(RUNNING), 'worker-1': bare(STOPPED), 'worker-2': bare(STOPPED) };
  expect(await ask(runtimeReady(CLUSTER), ['cp-1', 'worker-1', 'worker-2'], hosts)).toEqual({
    open: false,
    reason: 'worker-1: its containerd does not run; worker-2: its containerd does not run',
    next: 'ssh worker-1 sudo journalctl -u containerd -n 50',
  });
  expect(await ask(runtimeReady(CLUSTER), ['cp-1'], hosts)).toEqual({ open: true });
});

test('containerd has to be started: one that is starting is none yet', async () => {
  const starting = bare({ ...RUNNING, startedAt: undefined });
  expect(await ask(runtimeReady(CLUSTER), ['cp-1'], { 'cp-1': starting })).toMatchObject({ open: false });
});
