import { describe, expect, test } from '@jest/globals';
import { chooseSource, chooseSources, reachedByMost } from '../../../src/day-two/snapshot-source.js';
import { membersThatSay, type Said } from '../../support/said-members.js';

const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? String(error);

async function chosen(said: readonly Said[], from?: string): Promise<string> {
  return chooseSource(membersThatSay(said), from).then(
    ({ member, confirmed }) => `${member.host} from ${confirmed ?? 'any revision'}`,
    codeOf,
  );
}

describe('the member that is saved', () => {
  test.each<readonly [string, readonly Said[], string]>([
    ['all are as far', [{}, {}, {}], 'etcd-1 from 40'],
    ['one lags behind', [{ raftIndex: 90, revision: 9 }, {}, {}], 'etcd-2 from 40'],
    ['one leads by a little', [{}, { raftIndex: 5003, revision: 41 }, {}], 'etcd-1 from 40'],
    // Nobody else has got so far: what it says is no reason to take it.
    ['one claims the highest', [{}, {}, { raftIndex: 1e15, revision: 1e9 }], 'etcd-1 from 40'],
    ['one claims the lowest', [{}, {}, { raftIndex: 0, revision: 0 }], 'etcd-1 from 40'],
    ['the first claims the lowest', [{ raftIndex: 0, revision: 0 }, {}, {}], 'etcd-2 from 40'],
    ['one is of another cluster', [{ clusterId: '78', raftIndex: 1e15 }, {}, {}], 'etcd-2 from 40'],
    ['one of two is of another cluster', [{ clusterId: '78' }, {}, 'away'], 'members-of-two-clusters'],
    ['one is not healthy', [{ isHealthy: false }, {}, {}], 'etcd-2 from 40'],
    ['one is a learner', [{ isLearner: true }, {}, 'silent'], 'etcd-2 from 40'],
    ['there is one member', [{}], 'etcd-1 from 40'],
    ['none is healthy', [{ isHealthy: false }, 'silent', 'away'], 'no-healthy-member'],
  ])('where %s', async (_, said, expected) => {
    expect(await chosen(said)).toBe(expected);
  });

  test('is one that is to leave where none stays; its word counts like any other', async () => {
    const { cluster, probe } = membersThatSay([{}, {}, {}]);
    const [all, some] = [cluster.members, cluster.members.slice(1)];
    const choose = async (stays: typeof all, formerMembers: typeof all, saying = probe) =>
      chooseSource({ cluster: { members: stays, formerMembers }, probe: saying }, undefined);
    expect((await choose(some.slice(1), all.slice(0, 2))).member.host).toBe('etcd-3');
    expect(await choose([], all)).toMatchObject({ member: { host: 'etcd-1' }, confirmed: 40 });
    const lying = membersThatSay([{ raftIndex: 1e15, revision: 1e9 }, {}, {}]);
    expect(await choose(all.slice(0, 1), some, lying.probe)).toMatchObject({ confirmed: 40 });
  });

  test('is followed by the others that have come as far: those that stay first', async () => {
    const { cluster, probe } = membersThatSay([{}, {}, {}]);
    const hostsOf = async (stays: typeof cluster.members, formerMembers: typeof cluster.members, saying = probe) => {
      const sources = await chooseSources({ cluster: { members: stays, formerMembers }, probe: saying });
      return sources.map(({ member, confirmed }) => `${member.host} from ${confirmed ?? 'any revision'}`);
    };
    const all = cluster.members;
    expect(await hostsOf(all.slice(2), all.slice(0, 2))).toEqual([
      'etcd-3 from 40',
      'etcd-1 from 40',
      'etcd-2 from 40',
    ]);
    expect(await hostsOf(all, [])).toEqual(['etcd-1 from 40', 'etcd-2 from 40', 'etcd-3 from 40']);
    const behind = membersThatSay([{}, { raftIndex: 90, revision: 9 }, {}]);
    expect(await hostsOf(all, [], behind.probe)).toEqual(['etcd-1 from 40', 'etcd-3 from 40']);
  });

  test('is none that was to leave, and has become part of another cluster', async () => {
    const elsewhere = [{ id: '9', name: 'other', peerUrls: ['https://10.0.0.9:2380'], isLearner: false }];
    const { cluster, probe } = membersThatSay([{ members: elsewhere }]);
    const choosing = chooseSource({ cluster: { members: [], formerMembers: cluster.members }, probe }, undefined);
    await expect(choosing).rejects.toThrow(/etcd-1: its etcd has members that the inventory does not name/);
  });

  test('is the one that a person names, whatever the others say', async () => {
    expect(await chosen([{}, { isHealthy: false, raftIndex: 3 }, {}], 'etcd-2')).toBe('etcd-2 from any revision');
    expect(await chosen([{}, 'silent', {}], 'etcd-2')).toBe('no-healthy-member');
    expect(await chosen([{}, {}, {}], 'cp-1')).toBe('unknown-member');
  });

  test('may be one that is to leave, where a person names it', async () => {
    const { cluster, probe } = membersThatSay([{}, {}, {}]);
    const [, ...leaving] = cluster.members;
    const source = chooseSource(
      { cluster: { members: cluster.members.slice(0, 1), formerMembers: leaving }, probe },
      'etcd-3',
    );
    expect((await source).member.host).toBe('etcd-3');
  });

  test('is refused with every reason where there is none', async () => {
    await expect(
      chooseSource(membersThatSay([{ isHealthy: false }, { isLearner: true }, 'away']), undefined),
    ).rejects.toThrow(/etcd-1: answers, and is not healthy\n +etcd-2: a learner\n +etcd-3: .*can't connect/);
  });
});

test.each([
  [[7], 7],
  [[7, 9], 7],
  [[9, 7, 1e15], 9],
  [[9, 7, 0], 7],
  [[1, 2, 3, 4], 2],
  [[1, 2, 3, 4, 5], 3],
])('most of %j have reached %d', (numbers, expected) => {
  expect(reachedByMost(numbers)).toBe(expected);
});
