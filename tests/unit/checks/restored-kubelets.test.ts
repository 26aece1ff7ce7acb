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

const noted = (id: string, ago?: number): RestoreOnHost => ({
  id,
  stages: new Map(),
  notedAgo: new Map(ago === undefined ? [['unpacked', 1]] : [['apiserver-started', ago]]),
});

const RESTARTED: RestoreOnHost = { id: 'a', stages: new Map([['restarted', 'yes']]), notedAgo: new Map() };
/** Of a host whose clock is at any time. */
const NOW_S = 5000;

/** @param runs for how long its kubelet does, by its own clock, in seconds */
function host(runs: number | undefined, ...all: readonly RestoreOnHost[]): FakeAnswers {
  const kubelet = { active: runs !== undefined, startedAt: runs === undefined ? undefined : NOW_S - runs };
  return { units: { kubelet }, restores: { all }, clock: { now: NOW_S * 1000 } };
}

test.each([
  ['none', [[], [], []], undefined],
  ['one that has not come so far', [[noted('a')], [noted('a')], [noted('a')]], undefined],
  ['when most had it', [[noted('a', 10)], [noted('a', 12)], [noted('a', 99)]], 12],
  ['when most had it, in any order', [[noted('a', 99)], [noted('a', 10)], [noted('a', 12)]], 12],
  ['the last of several', [[noted('a', 30), noted('b', 20)], [noted('a', 30), noted('b', 21)], []], 21],
  ['one alone makes none', [[noted('a', 10), noted('b', 0)], [noted('a', 10)], []], 10],
  ['one alone hides none', [[noted('a', 10)], [noted('a', 10)], [noted('a', 9999)]], 10],
] as const)('the last restore: %s', (_, hosts, ago) => {
  expect(lastRestore(hosts, 3)?.ago).toBe(ago);
});

test('half of the control planes are not most of them', () => {
  expect(lastRestore([[noted('a', 10)], []], 2)).toBeUndefined();
  expect(lastRestore([[noted('a', 10)], [noted('a', 20)], [], []], 4)).toBeUndefined();
});

test('a kubelet that was not started since is reported, with what to type, whatever the clocks of the hosts are', async () => {
  const nodes = [cp1, cp2, ...[1, 2, 3, 4, 5].map((number) => `worker-${number}`)];
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes, nodes };
  const hosts = {
    [cp1]: host(90, noted('a', 100)),
    [cp2]: host(2000, noted('a', 100), RESTARTED),
    'worker-1': host(110),
    'worker-2': UNREACHABLE,
    'worker-3': host(undefined),
    'worker-4': host(101),
    'worker-5': host(2000, RESTARTED),
  } as const;
  const items = await checkRestoredKubelets(contextOf(hosts, { cluster }));
  expect(items.map(asLine)).toEqual([
    'fail host worker-2: worker-2: connection refused',
    `ok restored-kubelet ${cp1} kubelet: was started after the restore a`,
    `ok restored-kubelet ${cp2} kubelet: was started after the restore a`,
    'fail restored-kubelet worker-1 kubelet: was not started since the restore a: it may run pods that are not there any more',
    'warn restored-kubelet worker-4 kubelet: was started at about the time of the restore a, before it or after',
    'ok restored-kubelet worker-5 kubelet: was started after the restore a',
  ]);
  expect(items.find(({ host: of }) => of === 'worker-1')?.next).toBe('ssh worker-1 sudo systemctl restart kubelet');
});

test('where nothing was restored no kubelet is asked', async () => {
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes, nodes: ['worker-1'] };
  const hosts = { [cp1]: host(1), [cp2]: host(1), 'worker-1': UNREACHABLE } as const;
  expect(await checkRestoredKubelets(contextOf(hosts, { cluster }))).toEqual([]);
});
