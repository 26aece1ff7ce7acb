import { describe, expect, test } from '@jest/globals';
import {
  believedLister,
  membershipDifference,
  servesByItsWord,
  type HeardMember,
} from '../../../src/facts/etcd-membership.js';
import { healthy } from '../../support/etcd-answers.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

type Listed = HeardMember['members'][number];

/** A member of the sample cluster as etcd lists it. */
function listed(number: number, change: Partial<Listed> = {}): Listed {
  const name = `m${number}`;
  return { id: `${number}`, name, peerUrls: [`https://10.0.0.${number}:2380`], isLearner: false, ...change };
}

/** What the members on these hosts say, who all list the same. */
function heard(members: readonly Listed[], hosts: readonly number[] = [1]): readonly HeardMember[] {
  return hosts.map((number) => ({ ...healthy(number, { members }), host: `etcd-${number}` }));
}

const ALL = [listed(1), listed(2), listed(3)];
/** Known by nothing at all. */
const strange = (id: string): Listed => listed(9, { id, name: 'x', peerUrls: ['https://192.0.2.9:2380'] });

describe('etcd lists the members of the inventory', () => {
  test.each<[string, readonly Listed[]]>([
    ['in any order', [listed(3), listed(1), listed(2)]],
    ['by names alone', ALL.map((each) => ({ ...each, id: `7${each.id}`, peerUrls: [] }))],
    ['by peer URLs alone', ALL.map((each) => ({ ...each, id: `7${each.id}`, name: '' }))],
    [
      'by the second of its URLs',
      [listed(1), listed(2), listed(3, { id: '73', name: '', peerUrls: ['no URL', 'https://10.0.0.3:2380'] })],
    ],
    ['by the id that its own host tells', [listed(1, { name: '', peerUrls: [] }), listed(2), listed(3)]],
  ])('%s', (_, members) => {
    expect(membershipDifference(SAMPLE_CLUSTER, heard(members))).toBeUndefined();
  });

  test('where members list different ones, one of them lags: nothing is judged', () => {
    const [one] = heard(ALL);
    const [two] = heard(ALL.slice(1), [2]);
    if (one === undefined || two === undefined) throw new Error('both are heard');
    expect(membershipDifference(SAMPLE_CLUSTER, [one, two])).toBeUndefined();
    expect(membershipDifference(SAMPLE_CLUSTER, [two, { ...one, members: two.members }])).toBeDefined();
    expect(membershipDifference(SAMPLE_CLUSTER, [])).toBeUndefined();
  });
});

describe('etcd lists other members', () => {
  const textOf = (members: readonly Listed[]): string =>
    membershipDifference(SAMPLE_CLUSTER, heard(members))?.text ?? '';

  test.each<[string, readonly Listed[], string]>([
    [
      'one more, with its id as etcdctl prints it',
      [...ALL, strange('255')],
      'etcd lists 4 members, the inventory 3; etcd lists x (id ff, https://192.0.2.9:2380), which is no host of the group etcd',
    ],
    [
      'one less',
      ALL.slice(0, 2),
      'etcd lists 2 members, the inventory 3; etcd-3 is in the group etcd, and etcd does not list m3',
    ],
    [
      'another, who was never started and has no URL',
      [listed(1), listed(2), listed(9, { id: 'ab', name: '', peerUrls: [] })],
      'etcd lists a member that was never started (id ab, no URL), which is no host of the group etcd; etcd-3 is in the group etcd, and etcd does not list m3',
    ],
    [
      'one of the same address and another port',
      [listed(1), listed(2), listed(9, { name: 'x', peerUrls: ['https://10.0.0.3:2381', 'https://b:1'] })],
      'etcd lists x (id 9, https://10.0.0.3:2381, https://b:1), which is no host of the group etcd; etcd-3 is in the group etcd, and etcd does not list m3',
    ],
    [
      'none of them',
      [],
      'etcd lists 0 members, the inventory 3; etcd-1 is in the group etcd, and etcd does not list m1; etcd-2 is in the group etcd, and etcd does not list m2; etcd-3 is in the group etcd, and etcd does not list m3',
    ],
  ])('%s', (_, members, text) => {
    expect(textOf(members)).toBe(text);
  });

  test('what to do is named for each, by the member that was heard', () => {
    const cluster = {
      ...SAMPLE_CLUSTER,
      members: SAMPLE_CLUSTER.members.map((each) => ({ ...each, clientUrl: `https://${each.host}:2379` })),
    };
    const members = [listed(1), strange('255'), { ...strange('16'), name: '' }];
    const { next = '' } = membershipDifference(cluster, heard(members, [2, 1])) ?? {};
    expect(next.split('\n')).toEqual([
      'to have x leave the cluster, gone for good or not, add to inventory.yaml:',
      'etcd_former:',
      '  hosts:',
      '    x: { ansible_host: "192.0.2.9" }',
      'then: provision apply INVENTORY; or, where x should stay: put the host into the group etcd',
      expect.stringMatching(
        /^put the host of 10 into the group etcd; or, where it is gone for good: ssh etcd-2 .*https:\/\/etcd-2:2379.* member remove 10'$/,
      ),
      'take etcd-2 out of the group etcd; or make it a member: provision apply INVENTORY',
      'take etcd-3 out of the group etcd; or make it a member: provision apply INVENTORY',
    ]);
    const ini = { file: 'hosts', hosts: ['x'] };
    expect(membershipDifference({ ...cluster, inventory: ini }, heard([strange('255')]))?.next).toContain(
      'add to hosts:\n[etcd_former]\nx\nthen',
    );
    expect(membershipDifference({ ...cluster, isManaged: false }, heard(members, [2, 1]))?.next).toMatch(
      /^put the host of x into the group etcd; or, where it is gone for good: .* member remove ff'$/m,
    );
    expect(membershipDifference({ ...cluster, isManaged: false }, heard(members, [2, 1]))?.next).toMatch(
      /make it a member: ssh etcd-2 .* member add m3 --peer-urls=https:\/\/10\.0\.0\.3:2380 --learner', in the order of docs\/runbooks\/add-a-member\.md$/,
    );
    const [foreign] = heard(members);
    if (foreign === undefined) throw new Error('one is heard');
    expect(membershipDifference(cluster, [{ ...foreign, host: 'elsewhere', memberId: '77' }])?.next).toContain(
      'gone for good: etcdctl member remove 10',
    );
  });
});

describe('who is believed', () => {
  const former = SAMPLE_CLUSTER.members.slice(1);
  const [stayed] = SAMPLE_CLUSTER.members;
  if (stayed === undefined) throw new Error('one stays');
  const all = [1, 2, 3].map((number) => listed(number));
  const alone = [listed(1)];
  const says = (number: number, members: readonly Listed[], more: Partial<HeardMember> = {}): HeardMember => ({
    host: `etcd-${number}`,
    ...healthy(number, { members }),
    ...more,
  });

  test.each<[string, boolean, readonly HeardMember[], readonly Listed[] | undefined]>([
    ['all say the same', false, [says(1, all), says(2, all), says(3, all)], all],
    ['one of three lies', false, [says(1, alone), says(2, all), says(3, all)], all],
    ['one of three is of another cluster', false, [says(1, all, { clusterId: '9' }), says(2, all), says(3, all)], all],
    ['each says something else', false, [says(1, all), says(2, alone), says(3, [])], undefined],
    ['one of two lies', false, [says(1, all), says(2, alone)], undefined],
    ['one of two is of another cluster', false, [says(1, all, { clusterId: '9' }), says(2, all)], undefined],
    ['two of four lie', false, [says(1, all), says(2, alone), says(3, alone), says(4, all)], undefined],
    ['nobody speaks', false, [], undefined],
    ['a learner says nothing', false, [says(1, all), says(2, [], { isLearner: true })], all],
    ['who stays lies, of three', true, [says(1, alone), says(2, all), says(3, all)], all],
    [
      'who stays lies of its cluster, of three',
      true,
      [says(1, alone, { clusterId: '9' }), says(2, all), says(3, all)],
      all,
    ],
    ['one that leaves lies', true, [says(1, all), says(2, [listed(2)])], all],
    ['one that leaves lies, of three', true, [says(1, all), says(2, [listed(2)]), says(3, all)], all],
    [
      'those that have left say what they knew',
      true,
      [says(1, alone), ...[2, 3].map((each) => says(each, all, { isHealthy: false }))],
      alone,
    ],
    [
      'those that have left are another cluster',
      true,
      [says(1, alone), ...[2, 3].map((each) => says(each, all.slice(1), { clusterId: '9' }))],
      alone,
    ],
    ['nobody who stays speaks', true, [says(2, all), says(3, all)], all],
    ['nobody who stays speaks, and one of three lies', true, [says(2, all), says(3, all), says(4, alone)], all],
  ])('%s', (_, isLeaving, heard, expected) => {
    const groups = isLeaving
      ? { members: [stayed], formerMembers: former }
      : { members: SAMPLE_CLUSTER.members, formerMembers: [] };
    expect(believedLister(groups, heard)?.members).toEqual(expected);
  });
});

test.each<[string, Partial<HeardMember>, boolean]>([
  ['commits, and lists itself', {}, true],
  ['does not commit', { isHealthy: false }, false],
  ['lists others alone', { members: [listed(2), listed(3)] }, false],
  ['lists nobody', { members: [] }, false],
  ['has another id than it lists', { memberId: '9' }, false],
])('a member serves by its word where it %s', (_, changes, expected) => {
  expect(servesByItsWord({ host: 'etcd-1', ...healthy(1), ...changes })).toBe(expected);
});
