import { describe, expect, test } from '@jest/globals';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import { etcdLeftover } from '../../../src/resources/etcd-leftover.js';
import { etcdMember } from '../../../src/resources/etcd-member.js';
import { etcdSettled } from '../../../src/resources/etcd-settled.js';
import { changed, UNCHANGED } from '../../../src/model/change.js';
import {
  etcdHost,
  healthy,
  LONE_DATA,
  MEMBER_DATA,
  NO_DATA,
  NOT_INSTALLED,
  RUNNING,
  SILENT,
  STOPPED,
} from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { expectRefused } from '../../support/refusals.js';

const BARE = etcdHost({ data: NO_DATA, unit: NOT_INSTALLED });
const UP = etcdHost({ status: healthy(1) });
const BOOTSTRAPPING = etcdHost({ data: { ...MEMBER_DATA, isBootstrapping: true } });
const LONE = etcdHost({ data: LONE_DATA });

/** A file whose state is as given; it runs with etcd. */
function environment(outcome: Outcome): Resource {
  return { address: 'file:/etc/default/etcd', paths: ['/etc/default/etcd'], plan: () => Promise.resolve(outcome) };
}
const SAME = environment(UNCHANGED);
const CHANGING = environment(
  changed({ summary: 'update it', diff: [], actions: [], effect: 'change', disruptive: false }),
);

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
  const form = 'bootstrap the etcd cluster: start m1 together with the other members';

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

  test.each([
    ['their etcd is none of the unit, as a stacked one that was not adopted', BARE, BARE],
    ['a bootstrap was begun beside them', BOOTSTRAPPING, BARE],
  ])('forms no cluster while members are to leave and none is found: %s', async (_, two, three) => {
    const { members } = SAMPLE_CLUSTER;
    const cluster = { ...SAMPLE_CLUSTER, members: members.slice(0, 2), formerMembers: members.slice(2) };
    const resource = etcdMember({ cluster, member: sampleMember(1), runsWith: [SAME] });
    await expect(plan(resource, BARE, two, three)).rejects.toMatchObject({
      code: 'etcd-unsure',
      message: expect.stringContaining('etcd-3: members are to leave (group etcd_former)'),
      hint: expect.stringContaining('provision adopt INVENTORY'),
    });
  });

  test('members that have left, and are still named, keep nobody from a start', async () => {
    const { members } = SAMPLE_CLUSTER;
    const cluster = { ...SAMPLE_CLUSTER, members: members.slice(0, 2), formerMembers: members.slice(2) };
    const resource = etcdMember({ cluster, member: sampleMember(1), runsWith: [SAME] });
    const down = etcdHost({ unit: { ...STOPPED, enabled: true } });
    expect(summaryOf(await plan(resource, down, down, BARE))).toBe('start etcd (member m1)');
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
      hint: 'replace it: provision member replace INVENTORY etcd-1',
    });
  });

  test.each([
    ['all is well', UP, SAME, 'unchanged', []],
    [
      'it is down',
      etcdHost({ unit: STOPPED, status: SILENT }),
      SAME,
      'start etcd (member m1)',
      ['systemctl start --no-block etcd'],
    ],
    [
      'it is not enabled',
      etcdHost({ unit: { ...RUNNING, enabled: false }, status: healthy(1) }),
      SAME,
      'enable etcd (member m1)',
      ['systemctl enable etcd'],
    ],
    [
      'its configuration changes',
      UP,
      CHANGING,
      'restart etcd (member m1)',
      ['hand over etcd leadership, if held', 'systemctl restart etcd', 'wait one election timeout (1 s)'],
    ],
    [
      'its configuration is newer than the process',
      etcdHost({ unit: { ...RUNNING, startedAt: 800 }, status: healthy(1) }),
      SAME,
      'restart etcd (member m1)',
      ['hand over etcd leadership, if held', 'systemctl restart etcd', 'wait one election timeout (1 s)'],
    ],
  ])('%s', async (_, own, runsWith, summary, commands) => {
    const outcome = await plan(member(runsWith), own, UP, UP);
    expect(summaryOf(outcome)).toBe(summary);
    expect(commandsOf(outcome)).toEqual(commands);
    if (outcome.kind === 'change') expect(outcome.change.disruptive).toBe(summary.startsWith('restart'));
  });
});

describe('etcdMember with a host that can’t be asked', () => {
  const member = (runsWith: Resource = SAME): Resource =>
    etcdMember({ cluster: SAMPLE_CLUSTER, member: sampleMember(1), runsWith: [runsWith] });
  const key = etcdStatusKey({ clientUrl: 'https://10.0.0.3:2379', client: sampleMember(1).client });
  /** A host whose own member is well, and that hears this of the one on etcd-3. */
  const hearing = (status: EtcdStatus): FakeAnswers => ({
    ...UP,
    'etcd-status': { ...UP['etcd-status'], [key]: status },
  });

  test('needs nothing while nothing is to do', async () => {
    const own = hearing(SILENT);
    expect(await plan(member(), own, own, UNREACHABLE)).toEqual(UNCHANGED);
  });

  test('is not restarted where fewer than a quorum would serve', async () => {
    const own = hearing(SILENT);
    await expect(plan(member(CHANGING), own, own, UNREACHABLE)).rejects.toMatchObject({
      code: 'quorum-at-risk',
      message: expect.stringContaining('1 of 3 members would serve meanwhile, fewer than a quorum of 2') as unknown,
    });
  });

  test('is restarted where the others hear that member', async () => {
    const own = hearing(healthy(3));
    expect(summaryOf(await plan(member(CHANGING), own, own, UNREACHABLE))).toBe('restart etcd (member m1)');
  });

  test('begins no cluster: that host may have one', async () => {
    const bare = { ...BARE, 'etcd-status': { ...BARE['etcd-status'], [key]: SILENT } };
    await expectRefused(plan(member(), bare, bare, UNREACHABLE), 'etcd-unsure');
  });
});

describe('an inventory with other members than etcd lists', () => {
  const member = (runsWith: Resource): Resource =>
    etcdMember({ cluster: SAMPLE_CLUSTER, member: sampleMember(1), runsWith: [runsWith] });
  const two = healthy(1, { members: healthy(1).members.slice(0, 2) });
  const other = etcdHost({ status: two });

  test('is reported, and no member is changed', async () => {
    await expect(plan(member(CHANGING), other, other, other)).rejects.toMatchObject({
      code: 'membership-differs',
      message: expect.stringContaining('etcd lists 2 members, the inventory 3; etcd-3 is in the group etcd') as unknown,
      hint: expect.stringContaining('take etcd-3 out of the group etcd') as unknown,
    });
  });

  test('is a doubt where nothing is to do', async () => {
    expect(await plan(member(SAME), other, other, other)).toEqual(UNCHANGED);
    const probe = fakeProbes({ 'etcd-1': other, 'etcd-2': other, 'etcd-3': other }).get('etcd-1');
    if (probe === undefined) throw new Error('no probe');
    expect(await member(SAME).doubt?.(probe)).toMatch(/^etcd lists 2 members, the inventory 3; .*: take etcd-3 out/);
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
