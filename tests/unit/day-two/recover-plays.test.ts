import { expect, test } from '@jest/globals';
import { recoverPlays } from '../../../src/day-two/recover-plays.js';
import { idOfClusterOfOne, recoveredClusterId } from '../../../src/day-two/recovered-cluster.js';
import { changed, UNCHANGED, type Resource } from '../../../src/model/change.js';
import { stagePath } from '../../../src/shell/restore-stage.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const ID = '20261126T010203Z-recover';
const [first, survivor, third] = SAMPLE_CLUSTER.members;
if (first === undefined || survivor === undefined || third === undefined)
  throw new Error('the sample has three members');

const resource = (address: string): Resource => ({
  address,
  paths: [],
  plan: () =>
    Promise.resolve(changed({ summary: address, diff: [], actions: [], effect: 'change', disruptive: false })),
});
const joining = {
  ...{ name: 'The others join', batchSize: undefined, order: 'leader-last' },
  ...{ hosts: ['etcd-1', 'etcd-2', 'etcd-3'], gatesBefore: ['before'], gatesAfter: ['after'] },
  resources: new Map(
    ['etcd-1', 'etcd-2', 'etcd-3'].map((host) => [host, [resource('packages:etcd'), resource('member-add:x')]]),
  ),
};
const plays = recoverPlays({
  ...{
    id: ID,
    cluster: SAMPLE_CLUSTER,
    survivor,
    others: [first, third],
    joined: [],
    bump: 'none',
    joining: [joining],
  },
  workers: { answering: ['worker-1', 'etcd-3'], away: [] },
});

test('the recovered cluster has the id of its only member, at its peer URL, and of its token', () => {
  expect(recoveredClusterId('t', ID, survivor)).toBe(idOfClusterOfOne('https://10.0.0.2:2380', `t-${ID}`));
});

test('the others are fenced before anything stops, and API servers come last', () => {
  const planes = SAMPLE_CLUSTER.controlPlanes.map(({ host }) => host);
  expect(plays.map(({ name, hosts }) => [name, hosts])).toEqual([
    ['Keep the other members from coming back', ['etcd-1', 'etcd-3']],
    ['Stop the API servers', planes],
    ['Restore the survivor from its own data', ['etcd-2']],
    ['Start etcd, a cluster of one', ['etcd-2']],
    ['The others join', ['etcd-1', 'etcd-3']],
    ['Start the API servers', planes],
    ['Start again what remembers old revisions', planes],
    ['Note that it is done', [...planes, 'etcd-2', 'etcd-1', 'etcd-3']],
  ]);
});

test('a member of the recovered cluster is not fenced', () => {
  const [fence] = recoverPlays({
    ...{
      id: ID,
      cluster: SAMPLE_CLUSTER,
      survivor,
      others: [first, third],
      joined: [third],
      bump: 'none',
      joining: [joining],
    },
    workers: { answering: [], away: [] },
  });
  expect([fence?.name, fence?.hosts]).toEqual(['Keep the other members from coming back', ['etcd-1']]);
});

test('the others join one at a time, behind the gates of the playbook', () => {
  expect(plays.find(({ name }) => name === joining.name)).toMatchObject({
    ...{ batchSize: 1, order: 'inventory', gatesBefore: ['before'], gatesAfter: ['after'] },
  });
});

/** What a step of etcd-1 in the joining play comes to, with the survivor started or not. */
async function outcomes(isStarted: boolean): Promise<readonly string[]> {
  const note: FakeAnswers = { paths: { [stagePath(ID, 'started')]: isStarted } };
  const probe = fakeProbe({}, { 'etcd-2': note }, 'etcd-1');
  const own = plays.find(({ name }) => name === joining.name)?.resources.get('etcd-1') ?? [];
  return Promise.all(
    own.map(async (each) => {
      const outcome = await each.plan(probe);
      return outcome.kind === 'unknown' ? outcome.because : outcome.kind;
    }),
  );
}

test('how they join is decided once there is a cluster', async () => {
  expect(await outcomes(false)).toEqual(['change', 'known once etcd-2 serves']);
  expect(await outcomes(true)).toEqual(['change', 'change']);
});

test('what a host has noted is not done again', async () => {
  const notes: FakeAnswers = { paths: { [stagePath(ID, 'unpacked')]: true, [stagePath(ID, 'exchanged')]: false } };
  const own = plays.find(({ name }) => name.startsWith('Restore'))?.resources.get('etcd-2') ?? [];
  const [unpack, exchange] = await Promise.all(own.map(async (each) => each.plan(fakeProbe(notes, {}, 'etcd-2'))));
  expect(unpack).toBe(UNCHANGED);
  expect(exchange).toMatchObject({ kind: 'change', change: { disruptive: true } });
});

test('the survivor is restored from its own database, never with --force-new-cluster', async () => {
  const fresh: FakeAnswers = { paths: { [stagePath(ID, 'unpacked')]: false } };
  const [unpack] = plays.find(({ name }) => name.startsWith('Restore'))?.resources.get('etcd-2') ?? [];
  const planned = JSON.stringify(await unpack?.plan(fakeProbe(fresh, {}, 'etcd-2')));
  expect(planned).toContain('--skip-hash-check');
  expect(planned).toContain("--initial-cluster 'm2=https://10.0.0.2:2380' ");
  expect(planned).not.toContain('force-new-cluster');
  expect(planned).toContain('revisions are NOT raised');
});
