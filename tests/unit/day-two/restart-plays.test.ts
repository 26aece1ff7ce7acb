import { expect, test } from '@jest/globals';
import { describeAwayWorker, lookAtWorkers, restartPlays } from '../../../src/day-two/restart-plays.js';
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
const [first = ''] = PLANES;

test('nothing is done before control planes and workers were started again, and no worker is a host of the run', () => {
  expect(plays.map(({ name, hosts }) => [name, hosts])).toEqual([
    ['Start again what remembers old revisions', PLANES],
    ['Note that it is done', [...PLANES, 'etcd-1', 'etcd-2', 'etcd-3']],
  ]);
});

/** What is planned for the workers, with the stage noted or not. */
async function ofWorkers(isNoted: boolean) {
  const path = `/var/lib/provision/restore/${ID}/workers-restarted`;
  const own = plays[0]?.resources.get(first) ?? [];
  const resource = own.find(({ address }) => address === 'restore:workers-restarted');
  return resource?.plan(fakeProbe({ paths: { [path]: isNoted } }, {}, first));
}

test('workers are restarted by a step of a host that must answer anyway; they are asked nothing more, so that none can stop it', async () => {
  expect(await ofWorkers(false)).toMatchObject({
    kind: 'change',
    change: {
      summary: 'restart the kubelets of workers: worker-1, etcd-3',
      actions: [
        { kind: 'run-on-each', hosts: ['worker-1', 'etcd-3'], next: 'ssh HOST sudo systemctl restart kubelet' },
        { kind: 'run' },
      ],
    },
  });
  expect((await ofWorkers(true))?.kind).toBe('unchanged');
});

test('where no worker answers, or there is none, nothing is planned for them', () => {
  const none = restartPlays({
    id: ID,
    cluster: SAMPLE_CLUSTER,
    members: ['etcd-1'],
    workers: { answering: [], away: [] },
  });
  expect(none[0]?.resources.get(first)?.map(({ address }) => address)).toEqual(['restore:restarted']);
});

test('without control planes in the inventory a member has the step', () => {
  const cluster = { controlPlanes: [] };
  const [play] = restartPlays({ id: ID, cluster, members: ['etcd-2'], workers: { answering: ['w'], away: [] } });
  expect([play?.hosts, play?.gatesAfter]).toEqual([['etcd-2'], []]);
});
