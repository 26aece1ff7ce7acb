import { expect, test } from '@jest/globals';
import { describeAwayWorker, lookAtWorkers, restartPlays } from '../../../src/day-two/restart-plays.js';
import { UNCHANGED } from '../../../src/model/change.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const ID = '20261126T010203Z-abcdef12';
const PLANES = SAMPLE_CLUSTER.controlPlanes.map(({ host }) => host);
const running: FakeAnswers = { units: { kubelet: { active: true } } };

test('the workers of the inventory are asked; one that is gone keeps no cluster from its restore, and is named', async () => {
  const cluster = { ...SAMPLE_CLUSTER, nodes: [...PLANES, 'worker-1', 'worker-2', 'etcd-3'] };
  const hosts: Readonly<Record<string, FakeAnswers>> = {
    'worker-1': running,
    'worker-2': UNREACHABLE,
    'etcd-3': running,
  };
  const seen = await lookAtWorkers(cluster, (host) => fakeProbe(hosts[host] ?? {}, hosts, host));
  expect(seen).toMatchObject({ answering: ['worker-1', 'etcd-3'], away: [{ host: 'worker-2' }] });
  expect(seen.away.map(describeAwayWorker)).toEqual([
    expect.stringMatching(
      /can't connect to it.*ssh worker-2 sudo systemctl restart kubelet\. Until then `verify` reports it$/,
    ),
  ]);
});

const plays = restartPlays({
  ...{ id: ID, cluster: SAMPLE_CLUSTER, members: ['etcd-1', 'etcd-2', 'etcd-3'] },
  workers: { answering: ['worker-1', 'etcd-3'], away: [] },
});

test('nothing is done before control planes and workers were started again, so that a killed run goes on', () => {
  expect(plays.map(({ name, hosts }) => [name, hosts])).toEqual([
    ['Start again what remembers old revisions', [...PLANES, 'worker-1', 'etcd-3']],
    ['Note that it is done', [...PLANES, 'etcd-1', 'etcd-2', 'etcd-3']],
  ]);
});

async function restarted(host: string, { stage, active }: { readonly stage: string; readonly active: boolean }) {
  const note = (name: string): string => `/var/lib/provision/restore/${ID}/${name}`;
  const paths = { [note('done')]: stage === 'done', [note('restarted')]: stage === 'restarted' };
  const [resource] = plays[0]?.resources.get(host) ?? [];
  return resource?.plan(fakeProbe({ paths, units: { kubelet: { active } } }, {}, host));
}

test.each([
  ['worker-1', 'none', true, 'change'],
  ['worker-1', 'done', true, 'unchanged'],
  // It was started after the API servers, or will be.
  ['worker-1', 'none', false, 'unchanged'],
  ['etcd-3', 'none', true, 'change'],
  ['etcd-3', 'restarted', true, 'unchanged'],
  // Of an earlier restore that was not told of workers.
  ['etcd-3', 'done', true, 'change'],
] as const)('%s, which has noted %s, its kubelet running: %s → %s', async (host, stage, active, kind) => {
  expect((await restarted(host, { stage, active }))?.kind).toBe(kind);
});

test('a worker notes its end at once, a member together with all others', async () => {
  const scriptOf = async (host: string): Promise<string> =>
    JSON.stringify(await restarted(host, { stage: 'none', active: true }));
  expect(await scriptOf('worker-1')).toContain('mark done yes');
  expect(await scriptOf('etcd-3')).toContain('mark restarted yes');
  expect(await scriptOf('worker-1')).not.toContain('kube-controller');
  expect(await restarted('worker-1', { stage: 'done', active: true })).toBe(UNCHANGED);
});
