import { describe, expect, test } from '@jest/globals';
import type { EtcdStatus } from '../../../src/facts/etcd-status.js';
import { clusterPhase, lookAtMembers } from '../../../src/facts/etcd-phase.js';
import { essenceOf } from '../../../src/engine/drift.js';
import type { Outcome } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { orderTable } from '../../../src/gates/orders.js';
import { gateTable } from '../../../src/gates/table.js';
import { etcdMember } from '../../../src/resources/etcd-member.js';
import { joiningSteps } from '../../../src/resources/joining-steps.js';
import { joiningWay } from '../../../src/resources/member-joining.js';
import type { ReplacementStep } from '../../../src/resources/decide-replacement.js';
import { healthy, LONE_DATA, MEMBER_DATA, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, type FakeProbe } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { BARE_HOST, joiningHost, listedMember, type JoiningHost } from '../../support/joining-hosts.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { expectRefused } from '../../support/refusals.js';

const cluster = (size: number): Cluster => ({
  ...SAMPLE_CLUSTER,
  members: Array.from({ length: size }, (_, index) => sampleMember(index + 1)),
});

/** Hosts 1 to `running` are voters that list `members`; the others are as given. */
function hosts(
  {
    running,
    of,
    members,
  }: { readonly running: number; readonly of: number; readonly members?: readonly ReturnType<typeof listedMember>[] },
  others: Readonly<Record<number, JoiningHost>> = {},
): ReadonlyMap<string, FakeProbe> {
  const listed = members ?? Array.from({ length: running }, (_, index) => listedMember(index + 1));
  return fakeProbes(
    Object.fromEntries(
      Array.from({ length: of }, (_, index) => index + 1).map((number) => [
        `etcd-${number}`,
        joiningHost(
          number,
          number <= running ? { status: healthy(number, { members: listed }) } : (others[number] ?? BARE_HOST),
        ),
      ]),
    ),
  );
}

function on(probes: ReadonlyMap<string, FakeProbe>, number: number): FakeProbe {
  const probe = probes.get(`etcd-${number}`);
  if (probe === undefined) throw new Error('no probe');
  return probe;
}

async function steps(
  size: number,
  number: number,
  probes: ReadonlyMap<string, FakeProbe>,
): Promise<readonly ReplacementStep[]> {
  const wanted = cluster(size);
  const member = wanted.members[number - 1];
  if (member === undefined) throw new Error('no member');
  return (await joiningWay(wanted, member).decide(on(probes, number))).steps;
}

async function ofRole(size: number, number: number, probes: ReadonlyMap<string, FakeProbe>): Promise<Outcome> {
  const wanted = cluster(size);
  const member = wanted.members[number - 1];
  if (member === undefined) throw new Error('no member');
  return etcdMember({ cluster: wanted, member, runsWith: [] }).plan(on(probes, number));
}

const ALL = ['add', 'start', 'promote', 'open'];

describe('the inventory has more members than the running cluster', () => {
  test('the change is the same however many have joined before: a later look must agree with the plan', async () => {
    const wanted = cluster(5);
    const five = sampleMember(5);
    const resources = joiningSteps(joiningWay({ ...wanted, members: [...wanted.members.slice(0, 4), five] }, five));
    const essences = async (running: number): Promise<readonly string[]> => {
      const probe = on(hosts({ running, of: 5 }), 5);
      const outcomes = await Promise.all([...resources.joining, resources.open].map((each) => each.plan(probe)));
      return outcomes.map((outcome) =>
        outcome.kind === 'unchanged' ? outcome.kind : essenceOf({ address: '', outcome, before: '' }),
      );
    };
    expect(await essences(4)).toEqual(await essences(3));
    expect(await essences(3)).not.toContain('unchanged');
  });

  test('those who are asked to change the list are the same ones however many have joined', () => {
    const wanted = { ...cluster(4), formerMembers: [sampleMember(5)] };
    const way = joiningWay(wanted, wanted.members[1] ?? sampleMember(2));
    expect(way.peers.map(({ name }) => name)).toEqual(['m1', 'm3', 'm4', 'm5']);
  });

  test('what its package has started alone is moved aside by its own role', async () => {
    const alone = { data: LONE_DATA, status: SILENT };
    expect(await steps(4, 4, hosts({ running: 3, of: 4 }, { 4: { ...alone, unit: STOPPED } }))).toEqual(ALL);
  });

  test.each([
    ['1 → 3', 1, 3],
    ['3 → 4', 3, 4],
    ['3 → 5', 3, 5],
  ])('%s: each bare host joins, those that run are left alone', async (_, running, of) => {
    const probes = hosts({ running, of });
    for (let number = 1; number <= of; number += 1) {
      expect(await steps(of, number, probes)).toEqual(number <= running ? [] : ALL);
      expect((await ofRole(of, number, probes)).kind).toBe('unchanged');
    }
  });

  test.each([
    [2, true, ['etcd has 2 members: 2 must run, so it survives the loss of 0, no more than 1 would', 'writes wait']],
    [3, false, []],
    [4, false, ['etcd has 4 members: 3 must run, so it survives the loss of 1, no more than 3 would']],
  ])('the plan of %i members says what that number means', async (size, disruptive, remarks) => {
    const wanted = cluster(size);
    const last = wanted.members[size - 1] ?? sampleMember(size);
    const resources = joiningSteps(joiningWay(wanted, last));
    const probe = on(hosts({ running: size - 1, of: size }), size);
    const outcomes = await Promise.all([...resources.joining, resources.open].map((each) => each.plan(probe)));
    const changes = outcomes.flatMap((outcome) => (outcome.kind === 'change' ? [outcome.change] : []));
    const said = changes.flatMap(({ diff }) => diff).join('\n');
    for (const remark of remarks) expect(said).toContain(remark);
    expect(said.includes('must run') || said.includes('writes wait')).toBe(remarks.length > 0);
    expect(changes.some((change) => change.disruptive)).toBe(disruptive);
  });

  describe('while hosts are named that are to leave', () => {
    const second = sampleMember(2);
    const formerMembers = [sampleMember(3), sampleMember(4)];
    const growing: Cluster = { ...SAMPLE_CLUSTER, members: [sampleMember(1), second], formerMembers };
    const changesWith = async (three: JoiningHost, listed: readonly number[]) => {
      const { joining, open } = joiningSteps(joiningWay(growing, second));
      const members = listed.map((number) => listedMember(number));
      const probe = on(hosts({ running: 1, of: 4, members }, { 3: three }), 2);
      const outcomes = await Promise.all([...joining, open].map((each) => each.plan(probe)));
      return outcomes.flatMap((outcome) => (outcome.kind === 'change' ? [outcome.change] : []));
    };
    const said = (changes: Awaited<ReturnType<typeof changesWith>>): readonly boolean[] => [
      changes.some(({ diff }) => diff.join().includes('with all of the inventory etcd has 2 members')),
      changes.some(({ diff }) => diff.join().includes('writes wait')),
      changes.some(({ disruptive }) => disruptive),
    ];

    test('those that have left do not count: writes wait while the second of two starts', async () => {
      expect(said(await changesWith(BARE_HOST, [1]))).toEqual([true, true, true]);
    });

    test('one that has not left yet does: of three voters one may be missed', async () => {
      const three: JoiningHost = { status: healthy(3, { members: [listedMember(1), listedMember(3)] }) };
      expect(said(await changesWith(three, [1, 3]))).toEqual([true, false, false]);
    });

    test('one that is part of another cluster by now is not asked to change a list', async () => {
      const three: JoiningHost = { status: healthy(3, { clusterId: '99', members: [listedMember(3)] }) };
      const changes = JSON.stringify(await changesWith(three, [1]));
      // By the cluster id: of its own it is not asked, and it keeps nobody out.
      expect(changes).toContain('[ \\"$id\\" = 77 ] || return 0');
    });
  });

  test('what runs is a cluster that serves, whatever the inventory wants: nothing is begun together', async () => {
    const probes = hosts({ running: 1, of: 3 });
    const seen = await lookAtMembers(cluster(3), on(probes, 1));
    expect([clusterPhase(seen), seen.yetToJoin.map(({ name }) => name)]).toEqual(['serving', ['m2', 'm3']]);
    const order = orderTable(cluster(3)).get('leader-last');
    expect(await order?.(['etcd-1', 'etcd-2', 'etcd-3'], (name) => probes.get(name) ?? on(probes, 1))).toEqual({
      hosts: ['etcd-2', 'etcd-3', 'etcd-1'],
      together: false,
    });
    // The check would find a bare host where the list has it: then a member is lost, and three make the quorum.
    const lost = hosts({ running: 1, of: 3, members: [listedMember(1), listedMember(2), listedMember(3)] });
    expect(clusterPhase(await lookAtMembers(cluster(3), on(lost, 1)))).toBe('down');
    await expectRefused(ofRole(3, 2, lost), 'etcd-member-lost');
  });

  test.each<[string, JoiningHost, ReturnType<typeof listedMember>, readonly string[]]>([
    ['added', BARE_HOST, listedMember(4, true, ''), ['start', 'promote', 'open']],
    [
      'started',
      { status: healthy(4, { isLearner: true, members: [] }), isJoining: true },
      listedMember(4, true),
      ['promote', 'open'],
    ],
    [
      'started, and stopped since',
      { unit: STOPPED, status: SILENT, isJoining: true },
      listedMember(4, true),
      ['promote', 'open'],
    ],
    ['promoted', { status: healthy(4), isJoining: true }, listedMember(4), ['open']],
    ['opened', { status: healthy(4) }, listedMember(4), []],
  ])('a run that was killed after a learner was %s is continued', async (_, four, listed, left) => {
    const members = [listedMember(1), listedMember(2), listedMember(3), listed];
    expect(await steps(4, 4, hosts({ running: 3, of: 4, members }, { 4: four }))).toEqual(left);
  });

  test('a learner in progress comes first, and does not stop the plan of the next', async () => {
    const members = [listedMember(1), listedMember(2), listedMember(3), listedMember(5, true, '')];
    const probes = hosts({ running: 3, of: 5, members });
    expect(await steps(5, 4, probes)).toEqual(ALL);
    const order = orderTable(cluster(5)).get('learner-first');
    const names = ['etcd-1', 'etcd-2', 'etcd-3', 'etcd-4', 'etcd-5'];
    const ordered = await order?.(names, (name) => probes.get(name) ?? on(probes, 1));
    expect(ordered?.hosts.slice(-2)).toEqual(['etcd-5', 'etcd-4']);
  });

  test.each<
    [string, readonly ReturnType<typeof listedMember>[], Partial<Extract<EtcdStatus, { kind: 'answers' }>>, string]
  >([
    [
      'a voter is not healthy, and no quorum is left',
      [listedMember(1), listedMember(2), listedMember(3), listedMember(9)],
      {},
      'membership-differs',
    ],
    ['no leader', [listedMember(1), listedMember(2), listedMember(3)], { leaderId: '0' }, 'quorum-at-risk'],
    [
      'others are not healthy',
      [listedMember(1), listedMember(2), listedMember(3)],
      { isHealthy: false },
      'quorum-at-risk',
    ],
  ])('refuses: %s', async (_, members, changes, code) => {
    const all = Object.fromEntries(
      [1, 2, 3].map((number) => [
        `etcd-${number}`,
        joiningHost(number, { status: healthy(number, { members, ...changes }) }),
      ]),
    );
    const probes = fakeProbes({ ...all, 'etcd-4': joiningHost(4, BARE_HOST) });
    await expectRefused(steps(4, 4, probes), code);
  });

  test('a host with data of its own is none that joins: it is reported', async () => {
    const probes = hosts({ running: 3, of: 4 }, { 4: { data: MEMBER_DATA, unit: STOPPED, status: SILENT } });
    expect(await steps(4, 4, probes)).toEqual([]);
    await expectRefused(ofRole(4, 4, probes), 'membership-differs');
  });

  test('members that disagree on the list have nobody join', async () => {
    const liar = fakeProbes({
      'etcd-1': joiningHost(1, { status: healthy(1, { members: [listedMember(1)] }) }),
      'etcd-2': joiningHost(2, { status: healthy(2) }),
      'etcd-3': joiningHost(3, BARE_HOST),
    });
    expect((await lookAtMembers(cluster(3), on(liar, 1))).yetToJoin).toEqual([]);
  });

  test('an adopted cluster gets its members by others', async () => {
    const adopted = { ...cluster(4), isManaged: false };
    const probes = hosts({ running: 3, of: 4 });
    expect((await lookAtMembers(adopted, on(probes, 1))).yetToJoin).toEqual([]);
  });

  test.each(['etcd-healthy', 'etcd-can-spare-batch', 'etcd-serves-without-batch'])(
    '%s judges the members that there are',
    async (name) => {
      const probes = hosts({ running: 3, of: 5 });
      const gate = gateTable(cluster(5), () => new Date('2026-12-01T12:00:00Z')).get(name);
      expect(await gate?.check(gateInput(probes, { batch: ['etcd-4'], when: 'before' }))).toEqual({ open: true });
      const strange = hosts({
        running: 3,
        of: 5,
        members: [listedMember(1), listedMember(2), listedMember(3), listedMember(9)],
      });
      expect(await gate?.check(gateInput(strange, { batch: ['etcd-4'], when: 'before' }))).toMatchObject({
        open: false,
      });
    },
  );
});
