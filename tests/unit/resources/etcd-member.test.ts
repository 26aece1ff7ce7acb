import { describe, expect, test } from '@jest/globals';
import type { Outcome, Resource } from '../../../src/model/change.js';
import { etcdLeftover } from '../../../src/resources/etcd-leftover.js';
import { etcdMember } from '../../../src/resources/etcd-member.js';
import { etcdSettled } from '../../../src/resources/etcd-settled.js';
import { changed, UNCHANGED } from '../../../src/model/change.js';
import {
  etcdHost,
  LONE_DATA,
  MEMBER_DATA,
  NO_DATA,
  NOT_INSTALLED,
  RUNNING,
  STOPPED,
} from '../../support/etcd-answers.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const BARE = etcdHost({ data: NO_DATA, unit: NOT_INSTALLED });
const UP = etcdHost({});
const BOOTSTRAPPING = etcdHost({ data: { ...MEMBER_DATA, isBootstrapping: true } });
const LONE = etcdHost({ data: LONE_DATA });

/** A file whose state is as given; it runs with etcd. */
function environment(outcome: Outcome): Resource {
  return { address: 'file:/etc/default/etcd', paths: ['/etc/default/etcd'], plan: () => Promise.resolve(outcome) };
}
const SAME = environment(UNCHANGED);
const CHANGING = environment(changed({ summary: 'update it', diff: [], actions: [], disruptive: false }));

async function plan(resource: Resource, own: FakeAnswers, two: FakeAnswers, three: FakeAnswers): Promise<Outcome> {
  const files = { 'file-states': { '/etc/default/etcd': { kind: 'file', changedAt: 900 } }, ...own };
  const probe = fakeProbes({ 'etcd-1': files, 'etcd-2': two, 'etcd-3': three }).get('etcd-1');
  if (probe === undefined) throw new Error('no probe');
  return resource.plan(probe);
}

function summaryOf(outcome: Outcome): string {
  return outcome.kind === 'change' ? outcome.change.summary : outcome.kind;
}

function commandsOf(outcome: Outcome): readonly string[] {
  if (outcome.kind !== 'change') return [];
  return outcome.change.actions.map((action) => (action.kind === 'run' ? action.command.summary : action.kind));
}

describe('etcdMember', () => {
  const member = (runsWith: Resource = SAME): Resource =>
    etcdMember({ cluster: SAMPLE_CLUSTER, member: sampleMember(1), runsWith: [runsWith] });
  const form = 'bootstrap the etcd cluster: start etcd-1 together with the other members';

  test.each([
    ['bare hosts', BARE, BARE, BARE],
    ['its package has begun a lone member', LONE, BARE, LONE],
    ['an interrupted bootstrap before this host', BARE, BOOTSTRAPPING, BOOTSTRAPPING],
    [
      'one that was interrupted on this host',
      etcdHost({ data: { ...NO_DATA, isBootstrapping: true } }),
      BARE,
      BOOTSTRAPPING,
    ],
  ])('forms the cluster: %s', async (_, one, two, three) => {
    expect(summaryOf(await plan(member(), one, two, three))).toBe(form);
  });

  test('the bootstrap is the same change however far the others are: a later look must agree with the plan', async () => {
    const first = await plan(member(), BARE, BARE, BARE);
    expect(await plan(member(), BARE, BOOTSTRAPPING, BOOTSTRAPPING)).toEqual(first);
  });

  test('the bootstrap waits for nobody', async () => {
    expect(commandsOf(await plan(member(), BARE, BARE, BARE))).toEqual([
      'allow the cluster to bootstrap',
      'systemctl enable etcd',
      'systemctl restart --no-block etcd',
    ]);
  });

  test.each([
    ['the others are a cluster', UP, UP],
    ['one other has data, and is down', etcdHost({ unit: STOPPED }), BARE],
    ['one of the others is settled', BOOTSTRAPPING, UP],
  ])('refuses to create a second cluster: %s', async (_, two, three) => {
    await expect(plan(member(), BARE, two, three)).rejects.toMatchObject({
      code: 'etcd-member-lost',
      hint: expect.stringContaining('etcdctl member add etcd-1'),
    });
  });

  test.each([
    ['all is well', UP, SAME, 'unchanged', []],
    [
      'it is down',
      etcdHost({ unit: STOPPED }),
      SAME,
      'start etcd (member etcd-1)',
      ['systemctl start --no-block etcd'],
    ],
    [
      'it is not enabled',
      etcdHost({ unit: { ...RUNNING, enabled: false } }),
      SAME,
      'enable etcd (member etcd-1)',
      ['systemctl enable etcd'],
    ],
    [
      'its configuration changes',
      UP,
      CHANGING,
      'restart etcd (member etcd-1)',
      ['hand over etcd leadership, if held', 'systemctl restart etcd', 'wait one election timeout (1 s)'],
    ],
    [
      'its configuration is newer than the process',
      etcdHost({ unit: { ...RUNNING, startedAt: 800 } }),
      SAME,
      'restart etcd (member etcd-1)',
      ['hand over etcd leadership, if held', 'systemctl restart etcd', 'wait one election timeout (1 s)'],
    ],
  ])('%s', async (_, own, runsWith, summary, commands) => {
    const outcome = await plan(member(runsWith), own, UP, UP);
    expect(summaryOf(outcome)).toBe(summary);
    expect(commandsOf(outcome)).toEqual(commands);
    if (outcome.kind === 'change') expect(outcome.change.disruptive).toBe(summary.startsWith('restart'));
  });
});

describe('etcdSettled', () => {
  const settled = etcdSettled({ cluster: SAMPLE_CLUSTER, member: sampleMember(1) });

  test.each([
    ['a bootstrap is still allowed', BOOTSTRAPPING, UP, UP, true],
    ['this run begins with the bootstrap', BARE, BARE, BARE, true],
    ['the cluster is formed', UP, UP, UP, false],
  ])('%s', async (_, one, two, three, changes) => {
    expect((await plan(settled, one, two, three)).kind).toBe(changes ? 'change' : 'unchanged');
  });
});

describe('etcdLeftover', () => {
  const leftover = etcdLeftover(sampleMember(1));
  const written = { ...LONE_DATA, lone: { revision: 2, members: 1, peerUrls: ['http://localhost:2380'] } };

  test.each([
    ['no data', BARE],
    ['a member of the cluster', UP],
    ['a bootstrap that goes on', BOOTSTRAPPING],
  ])('leaves alone: %s', async (_, own) => {
    expect(await plan(leftover, own, BARE, BARE)).toEqual(UNCHANGED);
  });

  test('moves an untouched lone member aside, and deletes nothing', async () => {
    const outcome = await plan(leftover, LONE, BARE, BARE);
    expect(summaryOf(outcome)).toContain('move aside /var/lib/etcd/default');
    expect(JSON.stringify(outcome)).not.toMatch(/\brm\b/);
  });

  test.each([
    ['was written to', written, 'revision 2'],
    ['is not answered for', { ...LONE_DATA, lone: undefined }, 'nothing answers for it'],
  ])('refuses data that %s', async (_, data, words) => {
    await expect(plan(leftover, etcdHost({ data }), BARE, BARE)).rejects.toMatchObject({
      code: 'etcd-data-in-the-way',
      message: expect.stringContaining(words),
    });
  });
});
