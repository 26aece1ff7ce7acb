import { describe, expect, test } from '@jest/globals';
import { decideRecovery } from '../../../src/day-two/decide-recovery.js';
import { idOfClusterOfOne, recoveredClusterId } from '../../../src/day-two/recovered-cluster.js';
import { describeRemains, type HeardFrom, type MemberRemains, type RemainsSeen } from '../../../src/day-two/remains.js';
import type { EtcdRemains } from '../../../src/facts/etcd-remains.js';
import { healthy, SILENT } from '../../support/etcd-answers.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const NOTHING: EtcdRemains = {
  ...{ hasData: false, databaseBytes: 0, isRunning: false },
  ...{ clusterId: undefined, revision: undefined, snapshot: undefined },
};
const DATA: EtcdRemains = { ...NOTHING, hasData: true, clusterId: '77', revision: 900 };

interface Shown {
  readonly remains?: Partial<EtcdRemains>;
  readonly status?: ReturnType<typeof healthy>;
  readonly identity?: { readonly clusterId?: string; readonly leaderId?: string; readonly revision?: number };
  readonly stages?: readonly string[];
}

function found(base: EtcdRemains, { remains, status, identity, stages = [] }: Shown): MemberRemains {
  return {
    kind: 'seen',
    status: status ?? SILENT,
    identity:
      identity === undefined
        ? { kind: 'silent', reason: 'Connection refused' }
        : { kind: 'answers', clusterId: '77', memberId: '1', leaderId: '0', revision: 900, ...identity },
    remains: { ...base, ...remains },
    stages: new Set(stages),
  };
}

const stopped = (shown: Shown = {}): MemberRemains => found(DATA, shown);
const gone = (shown: Shown = {}): MemberRemains => found(NOTHING, shown);
/** A member that runs without a quorum: its database is locked, and it answers. */
const alone = (shown: Shown = {}): MemberRemains =>
  found({ ...DATA, isRunning: true, revision: undefined }, { identity: {}, ...shown });
const AWAY: MemberRemains = { kind: 'away', reason: 'no route to host' };

const ID = '20261127T010203Z-recover';
/** Of the cluster that this recovery makes of a sample member, whose addresses are all the same here. */
const RECOVERED = recoveredClusterId(SAMPLE_CLUSTER.token, ID, sampleMember(1));

/** Who hears whom, and the leader that it names: `etcd-1 hears etcd-2: 2`; a cluster other than the old one. */
type Hearing = `${string} hears ${string}: ${string}`;

function seen(...remains: readonly MemberRemains[]): readonly RemainsSeen[] {
  return remains.map((each, index) => ({
    ...{ member: { ...sampleMember(1), host: `etcd-${index + 1}` }, found: each, heard: [] },
  }));
}

function withHeard(all: readonly RemainsSeen[], hearings: readonly Hearing[]): readonly RemainsSeen[] {
  return all.map((each) => ({
    ...each,
    heard: hearings.flatMap((hearing): readonly HeardFrom[] => {
      const [, host = '', of = '', leaderId = '', clusterId = '77'] =
        /^(\S+) hears (\S+): (\S+)(?: of (\S+))?$/.exec(hearing) ?? [];
      const identity = { kind: 'answers', clusterId, memberId: '1', leaderId, revision: 900 } as const;
      return of === each.member.host ? [{ host, url: `https://${of}:2379`, identity }] : [];
    }),
  }));
}

function decide(
  remains: readonly MemberRemains[],
  lost: readonly string[] = [],
  hearings: readonly Hearing[] = [],
): { readonly survivor: string; readonly others: readonly string[]; readonly away: readonly string[] } | string {
  try {
    const { survivor, others, away } = decideRecovery({
      ...{ cluster: SAMPLE_CLUSTER, id: ID, seen: withHeard(seen(...remains), hearings), lost },
    });
    const names = (some: typeof others): readonly string[] => some.map(({ host }) => host);
    return { survivor: survivor.host, others: names(others), away: names(away) };
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

describe('a quorum that hosts show to be gone', () => {
  test.each([
    ['the one that runs survives', [gone(), alone(), gone()], 'etcd-2'],
    ['or the one that is stopped', [gone(), gone(), stopped()], 'etcd-3'],
    [
      'or one of which nothing can be read, as it waits for a quorum',
      [gone(), alone({ remains: { clusterId: undefined } }), gone()],
      'etcd-2',
    ],
  ])('%s', (_, remains, survivor) => {
    const others = ['etcd-1', 'etcd-2', 'etcd-3'].filter((host) => host !== survivor);
    expect(decide(remains)).toEqual({ survivor, others, away: [] });
  });

  test('of five, the one that has come furthest', () => {
    const remains = [
      gone(),
      stopped({ remains: { revision: 899 } }),
      gone(),
      stopped({ remains: { revision: 901 } }),
      gone(),
    ];
    expect(decide(remains)).toMatchObject({ survivor: 'etcd-4', others: ['etcd-1', 'etcd-2', 'etcd-3', 'etcd-5'] });
  });

  test.each([
    [
      'a running one by what it answers',
      [gone(), stopped(), gone(), alone({ identity: { revision: 950 } }), gone()],
      'etcd-4',
    ],
    ['the first of equals', [gone(), stopped(), gone(), stopped(), gone()], 'etcd-2'],
    [
      'equal revisions: by the raft index',
      [
        gone(),
        stopped({ remains: { snapshot: { term: 2, index: 100 } } }),
        gone(),
        stopped({ remains: { snapshot: { term: 2, index: 101 } } }),
        gone(),
      ],
      'etcd-4',
    ],
    [
      'a revision that is not known: by the raft index',
      [
        gone(),
        stopped({ remains: { snapshot: { term: 2, index: 200 } } }),
        gone(),
        stopped({ remains: { revision: undefined, snapshot: { term: 2, index: 101 } } }),
        gone(),
      ],
      'etcd-2',
    ],
  ])('%s', (_, remains, survivor) => {
    expect(decide(remains)).toMatchObject({ survivor });
  });
});

describe('nothing is recovered', () => {
  test.each([
    ['while etcd serves', [alone({ status: healthy(1) }), gone(), gone()], [], 'quorum-there'],
    [
      'also where two are named as lost, and it serves',
      [alone({ status: healthy(1) }), alone(), alone()],
      ['etcd-2', 'etcd-3'],
      'quorum-there',
    ],
    ['while two are only stopped', [stopped(), stopped(), gone()], [], 'quorum-may-return'],
    ['while one is stopped, and one away', [stopped(), AWAY, gone()], [], 'quorum-may-return'],
    ['while all but one are away', [stopped(), AWAY, AWAY], [], 'quorum-may-return'],
    ['while only one of those is named', [stopped(), AWAY, AWAY], ['etcd-2'], 'quorum-may-return'],
    [
      'while a process without data in its place runs',
      [stopped(), gone({ remains: { isRunning: true } }), gone()],
      [],
      'quorum-may-return',
    ],
    ['while an etcd answers there', [stopped(), gone({ identity: {} }), gone()], [], 'quorum-may-return'],
    [
      'while one is away whom nobody named, though no quorum may return',
      [stopped(), AWAY, AWAY, AWAY, AWAY],
      ['etcd-3', 'etcd-4', 'etcd-5'],
      'quorum-may-return',
    ],
    ['from nothing', [gone(), gone(), gone()], [], 'nothing-survives'],
    ['from what is named as lost', [gone(), gone(), stopped()], ['etcd-3'], 'nothing-survives'],
    ['from a host that is away', [gone(), gone(), AWAY], [], 'nothing-survives'],
    ['where a name is none of the inventory', [stopped(), gone(), gone()], ['etcd-9'], 'unknown-member'],
    [
      'from survivors of two clusters',
      [stopped(), stopped({ remains: { clusterId: '78' } }), gone(), gone(), gone()],
      [],
      'two-clusters',
    ],
    [
      'from survivors of two clusters, by what one answers',
      [stopped(), alone({ identity: { clusterId: '78' } }), gone(), gone(), gone()],
      [],
      'two-clusters',
    ],
  ])('%s', (_, remains, lost, code) => {
    expect(decide(remains, lost)).toBe(code);
  });

  test('of an adopted cluster', () => {
    const request = {
      cluster: { isManaged: false, token: 't' },
      id: undefined,
      seen: seen(gone(), stopped(), gone()),
      lost: [],
    };
    expect(() => decideRecovery(request)).toThrow('this etcd was adopted');
  });

  test('and the ways back are named', () => {
    const request = { cluster: SAMPLE_CLUSTER, id: ID, seen: seen(stopped(), AWAY, gone()), lost: [] };
    expect(() => decideRecovery(request)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('etcd-1, etcd-2 may have their data, and 2 of 3 are a quorum'),
        hint: [
          'start the member of etcd-1: ssh etcd-1 sudo systemctl start --no-block etcd',
          'bring etcd-2, or the way to it, back: no route to host',
          'name those that are lost for good: provision recover INVENTORY --lost HOST',
        ].join('\n'),
      }),
    );
  });
});

describe('who is named as lost', () => {
  test('is given up, also with its data, and also where it claims to have come further', () => {
    expect(decide([stopped(), stopped({ remains: { revision: 9_000_000 } }), AWAY], ['etcd-2', 'etcd-3'])).toEqual({
      ...{ survivor: 'etcd-1', others: ['etcd-2'], away: ['etcd-3'] },
    });
  });

  test('settles which of two clusters is recovered', () => {
    const two = [stopped(), stopped({ remains: { clusterId: '78' } }), gone(), gone(), gone()];
    expect(decide(two, ['etcd-1'])).toMatchObject({ survivor: 'etcd-2' });
  });

  test('one host that claims to be of another cluster does not become the survivor by it', () => {
    const liar = stopped({ remains: { clusterId: '666', revision: 9_000_000 } });
    expect(decide([stopped(), liar, gone(), gone(), gone()])).toBe('two-clusters');
  });
});

const BOTH = ['etcd-2', 'etcd-3'];
const RUNS_WITHOUT_LEADER = healthy(2, { isHealthy: false, leaderId: '0' });

describe('a quorum that serves is given up by nobody, whoever is named as lost', () => {
  test.each<[string, readonly MemberRemains[], readonly Hearing[]]>([
    ['where the other two say so', [stopped(), alone({ status: healthy(2) }), alone({ status: healthy(3) })], []],
    ['where one of them says so', [stopped(), AWAY, alone({ status: healthy(3) })], []],
    [
      'where the alarm of a full disk makes it unhealthy',
      [stopped(), AWAY, alone({ status: healthy(3, { isHealthy: false }) })],
      [],
    ],
    [
      'where it commits, and did not name its leader a moment before',
      [stopped(), AWAY, alone({ status: healthy(3, { leaderId: '0' }) })],
      [],
    ],
    ['where one without a member list has a leader', [stopped(), AWAY, alone({ identity: { leaderId: '3' } })], []],
    [
      'where nobody can log in on them, and the survivor hears both',
      [alone(), AWAY, AWAY],
      ['etcd-1 hears etcd-2: 2', 'etcd-1 hears etcd-3: 2'],
    ],
    ['where the survivor hears one', [alone(), AWAY, AWAY], ['etcd-1 hears etcd-3: 2']],
    ['where a control plane alone hears one', [stopped(), AWAY, AWAY], ['cp-1 hears etcd-2: 3']],
    [
      'where its host says that it does not run, and another one hears it',
      [stopped(), gone(), gone()],
      ['cp-1 hears etcd-3: 2'],
    ],
    [
      'where a recovery was begun, and they were not fenced',
      [alone({ status: healthy(1), stages: ['exchanging'] }), AWAY, AWAY],
      ['etcd-1 hears etcd-2: 3'],
    ],
  ])('%s', (_, remains, hearings) => {
    expect(decide(remains, BOTH, hearings)).toBe('quorum-there');
  });

  test.each<[string, readonly MemberRemains[], readonly Hearing[]]>([
    ['who runs without a leader', [alone(), alone({ status: RUNS_WITHOUT_LEADER }), gone()], []],
    ['who is heard, and has no leader', [alone(), AWAY, AWAY], ['etcd-1 hears etcd-2: 0', 'cp-1 hears etcd-3: 0']],
    [
      'a learner, which does not notice when its leader goes',
      [alone(), alone({ status: healthy(2, { isHealthy: false, isLearner: true }) }), gone()],
      [],
    ],
    ['what one that is named as lost says of another one', [alone(), gone(), AWAY], ['etcd-2 hears etcd-3: 3']],
    [
      'those that have joined a recovery that was begun, and its survivor',
      [
        alone({ status: healthy(1), stages: ['exchanging'] }),
        alone({ status: healthy(2), stages: ['fenced'] }),
        gone(),
      ],
      ['etcd-2 hears etcd-1: 1', 'etcd-1 hears etcd-2: 1'],
    ],
  ])('no reason is %s', (_, remains, hearings) => {
    expect(decide(remains, BOTH, hearings)).toMatchObject({ survivor: 'etcd-1' });
  });

  test('and who hears whom is said, with what gives it up all the same', () => {
    const request = {
      cluster: SAMPLE_CLUSTER,
      id: ID,
      seen: withHeard(seen(alone(), AWAY, AWAY), ['etcd-1 hears etcd-2: 2']),
    };
    expect(() => decideRecovery({ ...request, lost: BOTH })).toThrow(
      expect.objectContaining({
        message:
          'etcd serves: etcd-2, which is named as lost, has a leader, by what etcd-1 hears at https://etcd-2:2379 (cluster 4d); nothing was changed',
        hint: expect.stringContaining('switch its machine off, or type there: sudo systemctl disable --now etcd'),
      }),
    );
    const own = { cluster: SAMPLE_CLUSTER, id: ID, seen: seen(stopped(), gone(), alone({ status: healthy(3) })) };
    expect(() => decideRecovery({ ...own, lost: BOTH })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('ssh etcd-3 sudo systemctl disable --now etcd') }),
    );
  });
});

describe('a recovery that was begun, and was killed', () => {
  const OF_IT = { clusterId: RECOVERED };
  const begun = alone({ status: healthy(1, OF_IT), identity: { ...OF_IT, leaderId: '1' }, stages: ['exchanging'] });
  const joined = (stages: readonly string[] = []): MemberRemains =>
    alone({ status: healthy(2, OF_IT), identity: { ...OF_IT, leaderId: '1' }, stages });

  test('goes on where ssh to one breaks that has joined it', () => {
    expect(decide([begun, AWAY, gone()], ['etcd-2'], [`etcd-1 hears etcd-2: 1 of ${RECOVERED}`])).toEqual({
      ...{ survivor: 'etcd-1', others: ['etcd-3'], away: ['etcd-2'] },
    });
  });

  test('goes on where a bare host has joined it since, and fences it not', () => {
    const request = { cluster: SAMPLE_CLUSTER, id: ID, seen: seen(begun, joined(['fenced']), joined()), lost: [] };
    const { others, joined: kept } = decideRecovery(request);
    expect([others, kept].map((each) => each.map(({ host }) => host))).toEqual([BOTH, BOTH]);
  });

  test.each<[string, readonly MemberRemains[], readonly string[], readonly Hearing[], string]>([
    ['while the old quorum serves', [begun, AWAY, AWAY], BOTH, ['etcd-1 hears etcd-2: 3'], 'quorum-there'],
    [
      'where a host alone says so, and the others are stopped',
      [stopped({ stages: ['exchanging'] }), stopped(), stopped()],
      [],
      [],
      'recovery-not-proved',
    ],
    [
      'where a host alone says so, and one is lost',
      [stopped({ stages: ['exchanging'] }), stopped(), AWAY],
      ['etcd-3'],
      [],
      'recovery-not-proved',
    ],
    [
      'from two',
      [stopped({ stages: ['exchanging'] }), stopped({ stages: ['exchanging', 'fenced'] }), gone()],
      [],
      [],
      'recovery-not-proved',
    ],
  ])('does not %s', (_, remains, lost, hearings, code) => {
    expect(decide(remains, lost, hearings)).toBe(code);
  });

  test('names whose notes do not agree, and the ways on', () => {
    const all = seen(gone({ stages: ['fenced'] }), stopped(), stopped({ stages: ['exchanging'] }));
    expect(() => decideRecovery({ cluster: SAMPLE_CLUSTER, id: ID, seen: all, lost: [] })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('etcd-3 has noted that a recovery went on from its data, and etcd-2 not'),
        hint: expect.stringContaining(
          'name who is given up (etcd-2), once for each: provision recover INVENTORY --lost HOST',
        ),
      }),
    );
    // A host that lies is named, and its notes with it.
    expect(decide([stopped(), gone(), stopped({ stages: ['exchanging'] })], ['etcd-3'])).toMatchObject({
      survivor: 'etcd-1',
    });
  });

  test('makes a cluster whose id is known before, as that of etcd’s own default cluster is', () => {
    expect(BigInt(idOfClusterOfOne('http://localhost:2380', 'etcd-cluster')).toString(16)).toBe('cdf818194e3a8c32');
  });
});

describe('a recovery that was begun', () => {
  test('goes on with its survivor, that serves alone by now', () => {
    const begun = alone({ status: healthy(1), stages: ['exchanging', 'exchanged', 'started'] });
    const joined = alone({ status: healthy(2), stages: ['fenced'] });
    expect(decide([joined, begun, gone({ stages: ['fenced'] })])).toEqual({
      ...{ survivor: 'etcd-2', others: ['etcd-1', 'etcd-3'], away: [] },
    });
  });

  test('waits for who is away, and is not named as lost', () => {
    const begun = alone({ status: healthy(1), stages: ['exchanging'] });
    expect(decide([gone({ stages: ['fenced'] }), begun, AWAY])).toBe('quorum-may-return');
    expect(decide([gone({ stages: ['fenced'] }), begun, AWAY], ['etcd-3'])).toEqual({
      ...{ survivor: 'etcd-2', others: ['etcd-1'], away: ['etcd-3'] },
    });
    const request = { cluster: SAMPLE_CLUSTER, id: ID, seen: seen(gone(), begun, AWAY), lost: [] };
    expect(() => decideRecovery(request)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("etcd-3 can't be asked, and may have data that no other host has"),
        hint: [
          'bring etcd-3, or the way to it, back: no route to host',
          'name those that are lost for good: provision recover INVENTORY --lost HOST',
        ].join('\n'),
      }),
    );
  });

  test('has none of the fenced ones for its survivor', () => {
    expect(
      decide([stopped({ stages: ['fenced'], remains: { revision: 9_000_000 } }), stopped(), gone()]),
    ).toMatchObject({
      survivor: 'etcd-2',
    });
  });
});

test('what each shows is reported', () => {
  const all = seen(
    AWAY,
    gone(),
    stopped({ remains: { snapshot: { term: 3, index: 40 } } }),
    alone(),
    alone({ remains: { clusterId: undefined } }),
  );
  expect(all.map((each) => describeRemains(each, ['etcd-2']))).toEqual([
    "can't be asked: no route to host",
    'named as lost; etcd does not run, no data in /var/lib/etcd/default',
    'etcd does not run, data in /var/lib/etcd/default: cluster 4d, revision 900, last raft snapshot: term 3, index 40',
    'etcd runs, and answers, data in /var/lib/etcd/default: cluster 4d, revision 900',
    'etcd runs, and answers, data in /var/lib/etcd/default: cluster 4d, revision 900',
  ]);
});
