import { expect, test } from '@jest/globals';
import type { ApiserverObject } from '../../../src/facts/apiserver-object.js';
import { kubeProxySettled } from '../../../src/gates/kube-proxy-settled.js';
import type { GateAnswer } from '../../../src/model/gate.js';
import { fakeProbes } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const PATH = '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy';
const ROLLED_OUT = {
  metadata: { generation: 3 },
  spec: { updateStrategy: { type: 'RollingUpdate' } },
  status: { observedGeneration: 3, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 },
};

async function ask(found: ApiserverObject): Promise<GateAnswer> {
  const probes = fakeProbes({ 'cp-1': { 'apiserver-objects': { [PATH]: found } } });
  return kubeProxySettled(SAMPLE_CLUSTER).check(gateInput(probes, { when: 'action', batch: ['cp-1'] }));
}

function found(status: object, spec: unknown = ROLLED_OUT.spec): ApiserverObject {
  return { kind: 'found', object: { ...ROLLED_OUT, spec, status: { ...ROLLED_OUT.status, ...status } } };
}

test('is settled when every pod is the newest, and available', async () => {
  expect(await ask(found({}))).toEqual({ open: true, note: '3 pods run' });
  expect(await ask({ kind: 'absent' })).toMatchObject({ open: true });
});

test.each([
  ['the change was not taken up', found({ observedGeneration: 2 }), /changed a moment ago/],
  ['one is old', found({ updatedNumberScheduled: 2 }), /wants 3 pods: 2 are the newest, 3 are available/],
  [
    'one is old and away',
    found({ updatedNumberScheduled: 2, numberAvailable: 1 }),
    /wants 3 pods: 2 are the newest, 1 are/,
  ],
  ['so is the same number', found({ updatedNumberScheduled: 2, numberAvailable: 2 }), /wants 3 pods: 2 are .* 2 are/],
  ['one is away', found({ numberAvailable: 2 }), /3 are the newest, 2 are available/],
  ['none is counted', { kind: 'found', object: { ...ROLLED_OUT, status: null } } as const, /changed a moment ago/],
  ['nobody answers', { kind: 'silent', reason: 'no route' } as const, /no route/],
  ['it may not be read', { kind: 'refused', status: 403 } as const, /answers 403/],
])('is not settled where %s', async (_, answer, reason) => {
  expect(await ask(answer)).toEqual({
    open: false,
    reason: expect.stringMatching(reason),
    next: expect.stringContaining('ssh cp-1 '),
  });
});

test('is not waited for where it restarts no pod by itself', async () => {
  expect(await ask(found({}, { updateStrategy: { type: 'OnDelete' } }))).toMatchObject({ open: false, isFinal: true });
});
