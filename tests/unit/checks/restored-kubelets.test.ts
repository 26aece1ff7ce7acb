import { expect, test } from '@jest/globals';
import { checkRestoredKubelets, lastRestore } from '../../../src/checks/restored-kubelets.js';
import type { RestoreOnHost } from '../../../src/facts/restores.js';
import { asLine, contextOf, UNREACHABLE } from '../../support/check-context.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const [first] = SAMPLE_CLUSTER.controlPlanes;
if (first === undefined) throw new Error('the sample has a control plane');
const [cp1, cp2] = [first.host, 'cp-2'];
const controlPlanes = [first, { ...first, host: cp2 }];

const noted = (id: string, at?: number): RestoreOnHost => ({
  id,
  stages: new Map(),
  notedAt: new Map(at === undefined ? [['unpacked', 1]] : [['apiserver-started', at]]),
});

function host(startedAt: number | undefined, ...all: readonly RestoreOnHost[]): FakeAnswers {
  return { units: { kubelet: { active: startedAt !== undefined, startedAt } }, restores: { all } };
}

test.each([
  ['none', [[], [], []], undefined],
  ['one that has not come so far', [[noted('a')], [noted('a')], [noted('a')]], undefined],
  ['when most had it', [[noted('a', 10)], [noted('a', 12)], [noted('a', 99)]], 12],
  ['the last of several', [[noted('a', 10), noted('b', 20)], [noted('a', 10), noted('b', 21)], []], 20],
  ['one alone makes none', [[noted('a', 10), noted('b', 99)], [noted('a', 10)], []], 10],
  ['one alone hides none', [[noted('a', 10)], [noted('a', 10)], [noted('a', 0)]], 10],
] as const)('the last restore: %s', (_, hosts, at) => {
  expect(lastRestore(hosts, 3)?.at).toBe(at);
});

test('a kubelet that was not started since is reported, with what to type', async () => {
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes, nodes: [cp1, cp2, 'worker-1', 'worker-2', 'worker-3'] };
  const hosts = {
    [cp1]: host(1001, noted('a', 1000)),
    [cp2]: host(1002, noted('a', 1000)),
    'worker-1': host(999.5),
    'worker-2': UNREACHABLE,
    'worker-3': host(undefined),
  } as const;
  const items = await checkRestoredKubelets(contextOf(hosts, { cluster }));
  const when = '1970-01-01T00:16:40.000Z';
  expect(items.map(asLine)).toEqual([
    'fail host worker-2: worker-2: connection refused',
    `ok restored-kubelet ${cp1} kubelet: was started after the restore of ${when}`,
    `ok restored-kubelet ${cp2} kubelet: was started after the restore of ${when}`,
    `fail restored-kubelet worker-1 kubelet: was not started since the restore a (${when}): it may run pods that are not there any more`,
  ]);
  expect(items.at(-1)?.next).toBe('ssh worker-1 sudo systemctl restart kubelet');
});

test('where nothing was restored no kubelet is asked', async () => {
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes, nodes: ['worker-1'] };
  const hosts = { [cp1]: host(1), [cp2]: host(1), 'worker-1': UNREACHABLE } as const;
  expect(await checkRestoredKubelets(contextOf(hosts, { cluster }))).toEqual([]);
});
