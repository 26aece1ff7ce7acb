import { describe, expect, test } from '@jest/globals';
import type { HeardMember } from '../../../src/facts/etcd-membership.js';
import type { Cluster } from '../../../src/model/cluster.js';
import {
  decideReplacement,
  type Replacement,
  type ReplacementLook,
} from '../../../src/resources/decide-replacement.js';
import { quote } from '../../../src/shell/quote.js';
import { healthy, LONE_DATA, MEMBER_DATA, NO_DATA, SILENT } from '../../support/etcd-answers.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { expectRefused } from '../../support/refusals.js';

type Listed = HeardMember['members'][number];

const entry = (number: number, changes: Partial<Listed> = {}): Listed => ({
  id: `${number}`,
  name: `m${number}`,
  peerUrls: [`https://10.0.0.${number}:2380`],
  isLearner: false,
  ...changes,
});
const [ONE, TWO, THREE] = [entry(1), entry(2), entry(3)];
/** Added for etcd-3 and never started; and as it is once it has. */
const LEARNER = entry(30, { name: '', peerUrls: ['https://10.0.0.3:2380'], isLearner: true });
const STARTED = { ...LEARNER, name: 'm3' };

/** As a machine had it that another one, at another address, is to replace. */
const MOVED = entry(3, { peerUrls: ['https://10.0.0.33:2380'] });

const says = (number: number, members: readonly Listed[], changes: Partial<HeardMember> = {}): HeardMember => ({
  host: `etcd-${number}`,
  ...healthy(number, { members }),
  ...changes,
});
/** The two others, as they list the members. */
const listing = (...members: readonly Listed[]): readonly HeardMember[] => [says(1, members), says(2, members)];
const WITHOUT = listing(ONE, TWO);

const state = { host: 'etcd-3', isRunning: false, ...NO_DATA };
/** etcd-3 is a bare machine, and etcd still lists its member. */
const BARE: ReplacementLook = {
  state,
  own: SILENT,
  isRunning: false,
  hasAddress: true,
  isJoining: false,
  peers: [sampleMember(1), sampleMember(2)],
  others: listing(ONE, TWO, THREE),
  answering: [],
};
const OLD_DATA = { state: { ...state, ...MEMBER_DATA } };

const decide = (look: Partial<ReplacementLook>, cluster: Cluster = SAMPLE_CLUSTER): Replacement =>
  decideReplacement(cluster, sampleMember(3), { ...BARE, ...look });

describe('decideReplacement', () => {
  const all = ['add', 'start', 'promote', 'open'];
  const own = (changes: Partial<HeardMember>): Partial<ReplacementLook> => ({
    own: healthy(3, { members: [], ...changes }),
    isRunning: true,
    ...OLD_DATA,
  });

  test.each<[string, Partial<ReplacementLook>, readonly string[]]>([
    ['a bare host', {}, ['remove', ...all]],
    ['killed after the removal', { others: WITHOUT }, all],
    ['killed after a learner was added', { others: listing(ONE, TWO, LEARNER) }, ['start', 'promote', 'open']],
    [
      'killed after the learner was started',
      { others: listing(ONE, TWO, STARTED), ...own({ memberId: '30', isLearner: true }), isJoining: true },
      ['promote', 'open'],
    ],
    [
      'killed after the promotion',
      {
        others: listing(ONE, TWO, { ...STARTED, isLearner: false }),
        ...own({ memberId: '30', isLearner: false }),
        isJoining: true,
      },
      ['open'],
    ],
    ['a member that answers', own({}), []],
    [
      'a member that answers, and is listed twice: by its id',
      { others: listing(ONE, TWO, entry(9, { name: 'm3', peerUrls: [] }), THREE), ...own({}) },
      [],
    ],
    [
      'what the package started alone is in the way',
      { state: { ...state, ...LONE_DATA }, isRunning: true },
      ['aside', 'remove', ...all],
    ],
    ['old data comes back after the removal', { others: WITHOUT, ...OLD_DATA }, ['aside', ...all]],
    [
      'old data comes back, and still runs for a moment',
      { others: WITHOUT, ...own({ memberId: '3' }) },
      ['aside', ...all],
    ],
    [
      'old data comes back after a learner was added',
      { others: listing(ONE, TWO, LEARNER), ...OLD_DATA },
      ['aside', 'remove', ...all],
    ],
    [
      'the data of a started learner is gone: its id is not used again',
      { others: listing(ONE, TWO, STARTED) },
      ['remove', ...all],
    ],
  ])('%s', (_, look, steps) => {
    expect(decide(look).steps).toEqual(steps);
  });

  test('joins at another address than the member that is gone had', () => {
    const found = decide({ others: listing(ONE, TWO, MOVED) });
    expect(found.steps).toEqual(['remove', ...all]);
    expect(found.removed).toBe(MOVED);
    expect(found.initialCluster).toContain('m3=https://10.0.0.3:2380');
    expect(found.initialCluster).not.toContain('10.0.0.33');
  });

  test('joins with just the members that etcd lists, under their names and URLs there', () => {
    const renamed = entry(2, { name: 'zoo', peerUrls: ['https://10.0.0.2:2380', 'https://db.example:2380'] });
    expect(decide({ others: listing(ONE, renamed, THREE) }).initialCluster).toBe(
      'm1=https://10.0.0.1:2380,m3=https://10.0.0.3:2380,zoo=https://10.0.0.2:2380,zoo=https://db.example:2380',
    );
  });

  test.each<[string, Partial<ReplacementLook>, string, RegExp]>([
    ['it runs, and is only slow', { isRunning: true }, 'member-not-gone', /only slow/],
    ['it runs with its data, and is only slow', { isRunning: true, ...OLD_DATA }, 'member-not-gone', /only slow/],
    ['it is only stopped', OLD_DATA, 'member-has-data', /is stopped, and has its data/],
    [
      'ssh leads elsewhere, and it answers the others',
      { answering: ['3'] },
      'member-not-gone',
      /answers the other members/,
    ],
    [
      'ssh leads to a machine with another address',
      { hasAddress: false },
      'member-not-gone',
      /does not have the address 10\.0\.0\.3/,
    ],
    [
      'it is only stopped, and its data is where the inventory does not look',
      { state: { ...state, keptIn: '/var/lib/etcd/old' } },
      'member-has-data',
      /has its data in \/var\/lib\/etcd\/old/,
    ],
    [
      'the old machine runs, at another address',
      { others: listing(ONE, TWO, MOVED), stillAt: { url: 'https://10.0.0.33:2379', ids: ['3'] } },
      'member-not-gone',
      /one answers the others there, at https:\/\/10\.0\.0\.33:2379 \(member 3\): the old machine runs/,
    ],
    ['nobody else answers', { others: [] }, 'quorum-at-risk', /no other member answers/],
    ['another one is down', { others: [says(1, [ONE, TWO, THREE])] }, 'quorum-at-risk', /1 of 3 voters/],
    [
      'another one is not healthy',
      { others: [says(1, [ONE, TWO, THREE]), says(2, [ONE, TWO, THREE], { isHealthy: false })] },
      'quorum-at-risk',
      /1 of 3 voters/,
    ],
    [
      'there is no leader',
      { others: [1, 2].map((number) => says(number, [ONE, TWO, THREE], { leaderId: '0' })) },
      'quorum-at-risk',
      /0 of 3 voters/,
    ],
    [
      'another learner is there',
      { others: listing(ONE, { ...TWO, isLearner: true }, THREE) },
      'membership-pending',
      /is a learner/,
    ],
    [
      'another one never started',
      { others: listing(ONE, { ...TWO, name: '' }, THREE) },
      'membership-pending',
      /never started/,
    ],
    ['a stranger is listed', { others: listing(ONE, TWO, THREE, entry(9)) }, 'membership-differs', /m9/],
    ['another one of the inventory is not listed', { others: listing(ONE, THREE) }, 'membership-differs', /etcd-2/],
    [
      'the others list different members',
      { others: [says(1, [ONE, TWO, THREE]), says(2, [ONE, TWO])] },
      'membership-differs',
      /list different members/,
    ],
    [
      'two entries are its own, it answers as one of them, and the other is a learner',
      { others: listing(ONE, TWO, THREE, LEARNER), ...own({}) },
      'membership-differs',
      /more than one member for it: m3 \(id 3, .*\) and /,
    ],
    [
      'two entries are its own',
      { others: listing(ONE, TWO, THREE, LEARNER) },
      'membership-differs',
      /more than one member/,
    ],
    ['an etcd of another cluster runs there', { ...own({ clusterId: '99' }) }, 'foreign-etcd', /cluster 99/],
  ])('refuses: %s', async (_, look, code, message) => {
    expect(() => decide(look)).toThrow(message);
    await expectRefused(() => decide(look), code);
  });

  test('gives nobody a command to type that a host has made up', () => {
    const keptIn = "/srv; touch pwned #'";
    const hint = expect.stringContaining(
      `ssh etcd-3 ${quote(`sudo mv ${quote(`${keptIn}/member`)} ${quote(`${keptIn}/member.damaged`)}`)}`,
    ) as unknown;
    expect(() => decide({ state: { ...state, keptIn } })).toThrow(
      expect.objectContaining({ code: 'member-has-data', hint }),
    );
  });

  test('refuses the only member: its data is all that there is', () => {
    const alone = { ...SAMPLE_CLUSTER, members: [sampleMember(3)] };
    expect(() => decide({ others: [] }, alone)).toThrow(expect.objectContaining({ code: 'quorum-at-risk' }));
  });

  test('of five members one may be away beside it, and not two', () => {
    const five = { ...SAMPLE_CLUSTER, members: [1, 2, 3, 4, 5].map(sampleMember) };
    const members = [1, 2, 3, 4, 5].map((number) => entry(number));
    const halves = [1, 2, 4, 5].map((number) => says(number, number < 3 ? members : members.slice(0, 4)));
    expect(() => decide({ others: halves }, five)).toThrow('etcd-3: etcd-1 and etcd-4 list different members');
    expect(decide({ others: [1, 2, 4].map((number) => says(number, members)) }, five).steps).toContain('remove');
    expect(() => decide({ others: [1, 2].map((number) => says(number, members)) }, five)).toThrow(/2 of 5 voters/);
  });
});
