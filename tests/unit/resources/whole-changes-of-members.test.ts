import { describe, expect, test } from '@jest/globals';
import { ALL_ADDRESSES } from '../../../src/facts/host-addresses.js';
import { etcdStatusKey } from '../../../src/facts/etcd-status.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../../../src/model/change.js';
import type { Replacement, ReplacementStep } from '../../../src/resources/decide-replacement.js';
import { etcdLeftover } from '../../../src/resources/etcd-leftover.js';
import { etcdMember } from '../../../src/resources/etcd-member.js';
import { switchedRelease, unpackedRelease } from '../../../src/resources/etcd-release.js';
import { etcdSettled } from '../../../src/resources/etcd-settled.js';
import { joiningSteps, membersToJoin, peersOf, snapshotBefore } from '../../../src/resources/joining-steps.js';
import { leavingSteps } from '../../../src/resources/leaving-steps.js';
import {
  etcdHost,
  healthy,
  LONE_DATA,
  MEMBER_DATA,
  NO_DATA,
  NOT_INSTALLED,
  SILENT,
  STOPPED,
} from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers, type FakeProbe } from '../../support/fake-probe.js';
import { cluster as released, member as releasedMember, PACKAGE, RELEASE } from '../../support/release-answers.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { shownChange } from '../../support/shown-change.js';

// All that is done to a member: what a plan shows of it, what is done in which order, and how each of it is taken back.

const MEMBER = sampleMember(1);
const UP = etcdHost({ status: healthy(1) });
const BARE = etcdHost({ data: NO_DATA, unit: NOT_INSTALLED });
const FILES = { 'file-states': { '/etc/default/etcd': { kind: 'file', changedAt: 900 } } };

function on(hosts: Readonly<Record<string, FakeAnswers>>, host = 'etcd-1'): FakeProbe {
  const probe = fakeProbes(hosts).get(host);
  if (probe === undefined) throw new Error('no probe');
  return probe;
}

async function shown(resource: Resource, one: FakeAnswers, two = UP, three = UP): Promise<readonly string[]> {
  return shownChange(await resource.plan(on({ 'etcd-1': { ...FILES, ...one }, 'etcd-2': two, 'etcd-3': three })));
}

const environment = (outcome: Outcome): Resource => ({
  ...{ address: 'file:/etc/default/etcd', paths: ['/etc/default/etcd'] },
  plan: () => Promise.resolve(outcome),
});
const CHANGE = changed({ summary: '', diff: [], actions: [], effect: 'change', disruptive: false });
const queued = (verb: string): string =>
  `$ systemctl daemon-reload && systemctl reset-failed etcd 2>/dev/null; systemctl ${verb} --no-block etcd`;
const HAND_OVER = ['$ hand over etcd leadership, if held', 'back: nothing'];
const RESTART = [
  ...HAND_OVER,
  ...['$ systemctl restart etcd', 'back: systemctl restart etcd', '$ sleep 1', 'back: nothing'],
];

describe('a member', () => {
  const member = (outcome: Outcome = UNCHANGED, more: readonly string[] = []): Resource =>
    etcdMember({
      ...{ cluster: SAMPLE_CLUSTER, member: MEMBER, runsWith: [environment(outcome)] },
      otherReasons: () => Promise.resolve(more),
    });
  const masked = { ...STOPPED, enabled: false, maskedAtRuntime: true };

  test('that forms the cluster', async () => {
    const bare = etcdHost({ data: NO_DATA, unit: masked });
    expect(await shown(member(), bare, BARE, BARE)).toEqual([
      'bootstrap the etcd cluster: start m1 together with the other members',
      '+ m1, m2, m3 start as one new cluster, etcd-cluster',
      '+ a systemd drop-in allows the bootstrap, and is removed once the cluster is formed',
      ...['$ systemctl unmask etcd', 'back: systemctl mask etcd'],
      ...['$ allow the cluster to bootstrap', 'stays: the drop-in stays until the cluster is formed'],
      ...['$ systemctl enable etcd', 'back: systemctl disable etcd'],
      ...[queued('restart'), 'back: systemctl stop etcd'],
    ]);
    const enabled = etcdHost({ data: NO_DATA, unit: { ...STOPPED, enabled: true } });
    expect((await shown(member(), enabled, BARE, BARE)).slice(5)).toEqual([
      ...['$ systemctl enable etcd', 'back: nothing'],
      ...[queued('restart'), 'back: systemctl stop etcd'],
    ]);
  });

  test('that is masked, disabled and down', async () => {
    expect(await shown(member(), etcdHost({ unit: masked }))).toEqual([
      'unmask and enable and start etcd (member m1)',
      ...['$ systemctl unmask etcd', 'back: systemctl mask etcd'],
      ...['$ systemctl enable etcd', 'back: systemctl disable etcd'],
      ...[queued('start'), 'stays: the member that was down stays up'],
    ]);
  });

  test('that is down, and whose files change: what waits for a quorum must not come up with the old ones', async () => {
    const down = etcdHost({ unit: { ...STOPPED, enabled: true } });
    expect(await shown(member(CHANGE), down)).toEqual([
      'start etcd (member m1)',
      ...[queued('restart'), 'stays: the member that was down stays up'],
    ]);
  });

  test('that runs with older files, or another program', async () => {
    expect(await shown(member(CHANGE, ['the process is another one']), UP)).toEqual([
      'restart etcd (member m1)',
      ...['because /etc/default/etcd changes', 'because the process is another one', ...RESTART, 'clients notice'],
    ]);
  });

  test('is restarted where just a quorum serves meanwhile, and not where one less does', async () => {
    const members = [1, 2, 3, 4, 5].map((number) => sampleMember(number));
    const wanted = { ...SAMPLE_CLUSTER, members };
    const resource = etcdMember({ cluster: wanted, member: MEMBER, runsWith: [environment(CHANGE)] });
    const listed = members.map(({ name, address }, index) => ({
      ...{ id: `${index + 1}`, name, isLearner: false },
      peerUrls: [`https://${address}:2380`],
    }));
    const elsewhere = Object.fromEntries(
      members.map(({ address, client }) => [etcdStatusKey({ clientUrl: `https://${address}:2379`, client }), SILENT]),
    );
    const host = (number: number): FakeAnswers => {
      const answers = etcdHost({ status: healthy(number, { members: listed }) });
      const addresses = [{ interface: 'eth0', address: `10.0.0.${number}`, prefixLength: 24 }];
      return {
        ...{ ...FILES, ...answers, 'host-addresses': { [ALL_ADDRESSES]: addresses } },
        'etcd-status': { ...elsewhere, ...answers['etcd-status'] },
      };
    };
    const stopped = {
      ...host(4),
      ...etcdHost({ unit: STOPPED }),
      'etcd-status': { ...elsewhere, ...etcdHost({})['etcd-status'] },
    };
    const four = { 'etcd-1': host(1), 'etcd-2': host(2), 'etcd-3': host(3), 'etcd-5': UNREACHABLE };
    expect(shownChange(await resource.plan(on({ ...four, 'etcd-4': host(4) }))).at(0)).toBe('restart etcd (member m1)');
    await expect(resource.plan(on({ ...four, 'etcd-4': stopped }))).rejects.toMatchObject({
      code: 'quorum-at-risk',
      message: expect.stringContaining('2 of 5 members would serve meanwhile, fewer than a quorum of 3') as unknown,
    });
  });

  test('whose cluster is formed is allowed no bootstrap any more', async () => {
    const settled = etcdSettled({ cluster: SAMPLE_CLUSTER, member: MEMBER });
    expect(settled.address).toBe('etcd-settled:m1');
    expect(await shown(settled, etcdHost({ data: { ...MEMBER_DATA, isBootstrapping: true } }))).toEqual([
      'remove the bootstrap drop-in of m1: the cluster is formed',
      '- the systemd drop-in that allowed it',
      ...['$ forbid another bootstrap', 'stays: the drop-in stays away'],
    ]);
  });

  test('that its package has begun alone is moved aside', async () => {
    const leftover = etcdLeftover(MEMBER);
    expect(leftover.address).toBe('etcd-leftover:/var/lib/etcd/default');
    expect(await shown(leftover, etcdHost({ data: LONE_DATA }))).toEqual([
      'move aside /var/lib/etcd/default: the untouched member that the package started alone',
      '- one member, known only to itself, nothing ever written (revision 1)',
      ...['$ move /var/lib/etcd/default aside', 'stays: the data stays aside, under a dated name'],
    ]);
  });
});

describe('a member that joins', () => {
  const entry = { id: '255', name: 'm1', peerUrls: ['https://10.0.0.1:2380'], isLearner: false };
  const way = (size: number, ...steps: readonly ReplacementStep[]) => {
    const members = Array.from({ length: size }, (_, index) => sampleMember(index + 1));
    const found: Replacement = { steps, removed: entry, clusterId: '77', initialCluster: 'a=b', found: undefined };
    const cluster = { ...SAMPLE_CLUSTER, members };
    return { cluster, member: MEMBER, peers: peersOf(cluster, MEMBER), decide: () => Promise.resolve(found) };
  };
  /** What each resource of a way does, without those that do nothing. */
  const all = async (size: number, ...steps: readonly ReplacementStep[]) => {
    const { leaving, joining, open } = joiningSteps(way(size, ...steps));
    const probe = on({ 'etcd-1': { ...UP, units: { etcd: STOPPED } }, 'etcd-2': UP, 'etcd-3': UP, 'etcd-4': UP });
    const shownAll = await Promise.all(
      [...leaving, ...joining, open].map(async (each) => [each.address, ...shownChange(await each.plan(probe))]),
    );
    return shownAll.filter((lines) => lines.length > 1);
  };

  test('in place of one that is gone: its data goes aside, its entry is removed', async () => {
    expect(await all(3, 'aside', 'remove')).toEqual([
      [
        'member-aside:m1',
        'move the data of a member that is gone aside: /var/lib/etcd/default/member',
        '/var/lib/etcd/default/member → /var/lib/etcd/default/member.replaced-TIME: kept, never deleted',
        ...['$ move /var/lib/etcd/default/member aside', 'stays: the data stays aside, under a dated name'],
      ],
      [
        'member-remove:m1',
        'remove m1 from the list of members, by its id ff',
        '- m1 (id ff, https://10.0.0.1:2380)',
        'etcd-1 has no etcd process and no data of it',
        "from here on the old member can't come back: with its old data it ends by itself",
        ...['wait for etcd-serves-without-batch {}', 'wait for peers-take-writes {}'],
        ...['$ etcdctl member remove ff', 'stays: the old member stays removed: run the same command again'],
      ],
    ]);
  });

  test('as a learner, which is started, promoted, and then serves', async () => {
    expect(await all(4, 'add', 'start', 'promote', 'open')).toEqual([
      [
        'member-add:m1',
        'add m1 to the list of members, as a learner',
        '+ m1 (https://10.0.0.1:2380), without a vote until it has caught up',
        'with all of the inventory etcd has 4 members: 3 must run, so it survives the loss of 1, no more than 3 would',
        'wait for etcd-serves-without-batch {}',
        ...[
          '$ etcdctl member add m1 --learner',
          'stays: the learner stays listed; it has no vote: run the same command again',
        ],
      ],
      [
        'member-start:m1',
        'start etcd (member m1) as a learner',
        'initial cluster as etcd lists it then, now a=b; state existing',
        'until it is a voter it serves its own host only',
        ...[
          '$ let it join, as a learner that serves no clients',
          'stays: the drop-in stays until the member is a voter',
        ],
        ...[queued('start'), 'stays: the member that was down stays up'],
      ],
      [
        'member-promote:m1',
        'promote m1 to a voter, once it has caught up',
        'its own raft index is compared with that of the leader: started, and at most a few entries behind',
        ...['wait for etcd-learner-caught-up {}', '$ etcdctl member promote', 'stays: it stays a member'],
      ],
      [
        'member-open:m1',
        'restart etcd (member m1): it serves clients from now on',
        '- /etc/systemd/system/etcd.service.d/20-provision-join.conf',
        ...[
          'wait for etcd-can-spare-batch {}',
          '$ remove the drop-in of the joining member',
          'stays: it stays a member',
          ...RESTART,
        ],
      ],
    ]);
  });

  test('to two', async () => {
    const [[, ...lines] = []] = await all(2, 'open');
    expect([lines.at(2), lines.at(-1)]).toEqual([
      'of two members both must agree: until m1 has started, writes wait',
      'clients notice',
    ]);
  });

  test.each<[readonly ReplacementStep[], boolean, readonly string[] | undefined]>([
    [['aside', 'remove', 'add', 'start', 'promote', 'open'], true, ['etcd-2', 'etcd-3']],
    [['remove'], true, ['etcd-2', 'etcd-3']],
    [['add', 'start', 'promote', 'open'], true, ['etcd-2', 'etcd-3']],
    [['start', 'promote', 'open'], false, ['etcd-2', 'etcd-3']],
    [['promote', 'open'], false, ['etcd-2', 'etcd-3']],
    [['open'], false, undefined],
    [[], false, undefined],
  ])('%j: with a snapshot before: %s', async (steps, hasSnapshot, joined) => {
    const probe = on({ 'etcd-1': UP, 'etcd-2': UP, 'etcd-3': UP, 'etcd-4': UP });
    const snapshot = snapshotBefore(way(3, ...steps));
    expect(snapshot.address).toBe('snapshot:before');
    expect(shownChange(await snapshot.plan(probe)).slice(0, 1)).toEqual(
      hasSnapshot ? ['save a snapshot of the cluster on this machine'] : [],
    );
    expect((await membersToJoin(way(3, ...steps), probe))?.map(({ host }) => host)).toEqual(joined);
  });
});

describe('a member that leaves', () => {
  const LISTED = [1, 2, 3].map((number) => ({
    ...{ id: `${number}`, name: `m${number}`, isLearner: false },
    peerUrls: [`https://10.0.0.${number}:2380`],
  }));

  /** What is done on the host of the last of three. @param staying how many stay */
  async function all(staying: number, given: Parameters<typeof etcdHost>[0]): Promise<readonly (readonly string[])[]> {
    const members = [1, 2, 3].map((number) => sampleMember(number));
    const cluster = { ...SAMPLE_CLUSTER, members: members.slice(0, staying), formerMembers: members.slice(staying) };
    const elsewhere = members.map(({ client }, index) =>
      etcdStatusKey({ clientUrl: `https://10.0.0.${index + 1}:2379`, client }),
    );
    const host = (number: number): FakeAnswers => {
      const answers = etcdHost(number === 3 ? given : { status: healthy(number, { members: LISTED }) });
      const unit = { files: [], next: [], running: ['etcd'], environmentFiles: [] };
      return {
        ...{ ...answers, 'unit-commands': { etcd: unit }, 'file-origins': { '/etc/default/etcd': { kind: 'ours' } } },
        'etcd-status': { ...Object.fromEntries(elsewhere.map((key) => [key, SILENT])), ...answers['etcd-status'] },
      };
    };
    const probe = on({ 'etcd-1': host(1), 'etcd-2': host(2), 'etcd-3': host(3) }, 'etcd-3');
    const steps = leavingSteps(cluster, sampleMember(3));
    const lines = await Promise.all(steps.map(async (each) => [each.address, ...shownChange(await each.plan(probe))]));
    return lines.filter((each) => each.length > 1 && each[0] !== 'snapshot:before');
  }

  const STOPPED_NOW = (back: string): readonly string[] => [
    ...['$ systemctl disable etcd', back, '$ systemctl stop etcd', back],
  ];
  const ASIDE = [
    'member-aside:m3',
    'move the data of the former member aside: /var/lib/etcd/default/member',
    '/var/lib/etcd/default/member → /var/lib/etcd/default/member.removed-TIME: kept, never deleted',
    ...['$ move /var/lib/etcd/default/member aside', 'stays: the data stays aside, under a dated name'],
  ];
  const REMOVED = (size: string): readonly string[] => [
    'member-remove:m3',
    'remove m3 from the list of members, by its id 3',
    '- m3 (id 3, https://10.0.0.3:2380)',
    `then ${size}`,
    ...['wait for etcd-serves-without-batch {}', 'wait for peers-take-writes {}'],
  ];
  const TAKEN_OUT = ['$ etcdctl member remove 3', 'stays: it stays removed: run the same command again'];

  test('others is stopped first, and removed then', async () => {
    expect(await all(2, { status: healthy(3, { members: LISTED }) })).toEqual([
      [
        'member-stop:m3',
        'stop and disable etcd (member m3): it leaves the cluster',
        'its leadership is handed over first, if it has it, to a member that stays',
        ...[...HAND_OVER, ...STOPPED_NOW('back: start etcd again, where its data is in its place'), 'clients notice'],
      ],
      [...REMOVED('etcd has 2 members: 2 must run, so it survives the loss of 0, no more than 1 would'), ...TAKEN_OUT],
      ASIDE,
    ]);
  });

  test('one alone is removed first, for both must agree, and stopped then', async () => {
    expect(await all(1, { status: healthy(3, { members: LISTED }) })).toEqual([
      [
        ...REMOVED('etcd has one member: when its host is down, so is etcd, and with it every API server'),
        ...HAND_OVER,
        ...TAKEN_OUT,
        'clients notice',
      ],
      [
        'member-end:m3',
        'stop and disable etcd (member m3): it has left the cluster',
        ...STOPPED_NOW('stays: it stays stopped: it has left the cluster'),
      ],
      ASIDE,
    ]);
  });
});

describe('the release of a member', () => {
  test('is sent by this machine, or fetched by the host, beside those that are there', async () => {
    const lines = async (fetch: 'control' | 'host'): Promise<readonly string[]> =>
      shownChange(
        await unpackedRelease({ member: releasedMember, release: { ...RELEASE, fetch } }).plan(
          released(PACKAGE, '3.4.23', '3.4.23', '3.4.23'),
        ),
      );
    const sha = `SHA-256 ${RELEASE.sha256}: compared on the host before it is unpacked`;
    expect((await lines('control')).slice(1)).toEqual([
      ...[`from ${RELEASE.source}, sent by this machine`, sha, 'send-release'],
    ]);
    expect((await lines('host')).slice(1, 3)).toEqual([`from ${RELEASE.source}, fetched by the host`, sha]);
    expect((await lines('host')).at(-1)).toBe('stays: the unpacked release stays, and nothing runs from it');
  });

  test('is switched to, and back before anything else of the host', async () => {
    const wanted = { cluster: SAMPLE_CLUSTER, member: releasedMember, release: RELEASE };
    const outcome = await switchedRelease(wanted).plan(released(PACKAGE, '3.4.23', '3.4.23', '3.4.23'));
    expect(shownChange(outcome)).toEqual([
      'switch etcd from 3.4.23 to 3.5.16, the release in /usr/local/lib/etcd/3.5.16-abababababab',
      'members run 3.4.23 (etcd-1, etcd-2, etcd-3)',
      'storage version not reported by etcd before 3.6',
      '/usr/local/lib/etcd/current: (none) → 3.5.16-abababababab',
      'etcd, etcdctl and etcdutl in /usr/local/bin lead there',
      'for the way back the package stays',
      ...['$ switch etcd to 3.5.16', 'back: switch etcd back to 3.4.23'],
    ]);
    expect(outcome).toMatchObject({ change: { actions: [{ restores: 'all' }] } });
    const undo = JSON.stringify(outcome);
    // It asks the others whether the cluster has gone ahead meanwhile.
    for (const { address } of SAMPLE_CLUSTER.members.slice(1)) expect(undo).toContain(address);
  });
});
