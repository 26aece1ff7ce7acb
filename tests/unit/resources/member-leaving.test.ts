import { describe, expect, test } from '@jest/globals';
import { essenceOf } from '../../../src/engine/drift.js';
import { clusterPhase, lookAtMembers } from '../../../src/facts/etcd-phase.js';
import { etcdPodKey, type EtcdPod } from '../../../src/facts/etcd-pod.js';
import { etcdStatusKey } from '../../../src/facts/etcd-status.js';
import { orderTable } from '../../../src/gates/orders.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { decideRemoval, type LeavingStep } from '../../../src/resources/decide-removal.js';
import { etcdMember } from '../../../src/resources/etcd-member.js';
import { leavingSteps, lostLeavingSteps } from '../../../src/resources/leaving-steps.js';
import { lookBeforeLeaving } from '../../../src/resources/look-before-leaving.js';
import { etcdHost, healthy, MEMBER_DATA, NO_DATA, RUNNING, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers, type FakeProbe } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { removeLeaving } from '../../../src/shell/leave-cluster.js';
import { shownChange } from '../../support/shown-change.js';
import { expectRefused } from '../../support/refusals.js';

type Entry = ReturnType<typeof entry>;

const entry = (number: number, changes: { readonly isLearner?: boolean; readonly name?: string } = {}) => ({
  ...{ id: `${number}`, name: `m${number}`, isLearner: false },
  peerUrls: [`https://10.0.0.${number}:2380`],
  ...changes,
});

const ofNumbers = (numbers: readonly number[]) => numbers.map((number) => sampleMember(number));

/** These stay, those are to leave. */
const cluster = (stay: readonly number[], leave: readonly number[]): Cluster => ({
  ...SAMPLE_CLUSTER,
  members: ofNumbers(stay),
  formerMembers: ofNumbers(leave),
});

const BEGAN = [1, 2, 3, 4, 5].map((number) => `m${number}=https://10.0.0.${number}:2380`).join();
const DATA = { ...MEMBER_DATA, initialCluster: BEGAN };

type Given = Parameters<typeof etcdHost>[0] & { readonly isForeign?: boolean };

const DOWN: Given = { data: DATA, unit: { ...STOPPED, enabled: false }, status: SILENT };
const STARTABLE: Given = { data: DATA, unit: STOPPED, status: SILENT };
const GONE: Given = { data: { ...DATA, hasData: false }, unit: { ...STOPPED, enabled: false }, status: SILENT };

function host(number: number, given: Given): FakeAnswers {
  const answers = etcdHost({ data: DATA, ...given });
  const elsewhere = [1, 2, 3, 4, 5].map((each) =>
    etcdStatusKey({ clientUrl: `https://10.0.0.${each}:2379`, client: sampleMember(each).client }),
  );
  return {
    ...answers,
    'etcd-status': { ...Object.fromEntries(elsewhere.map((key) => [key, SILENT])), ...answers['etcd-status'] },
    'unit-commands': {
      etcd: { files: [], next: [], running: given.status?.kind === 'answers' ? ['etcd'] : [], environmentFiles: [] },
    },
    'file-origins': { '/etc/default/etcd': { kind: given.isForeign === true ? 'foreign' : 'ours', lines: 3 } },
  };
}

/** Hosts 1 to 5: those on the list run and are healthy, unless they are given otherwise. */
function hosts(
  members: readonly Entry[],
  others: Readonly<Record<number, Given | 'away'>> = {},
): ReadonlyMap<string, FakeProbe> {
  return fakeProbes(
    Object.fromEntries(
      [1, 2, 3, 4, 5].map((number) => {
        const isListed = members.some(({ id }) => id === `${number}`);
        const given = others[number] ?? (isListed ? { status: healthy(number, { members }) } : GONE);
        return [`etcd-${number}`, given === 'away' ? UNREACHABLE : host(number, given)];
      }),
    ),
  );
}

const FIVE = [1, 2, 3, 4, 5].map((number) => entry(number));

function on(probes: ReadonlyMap<string, FakeProbe>, number: number): FakeProbe {
  const probe = probes.get(`etcd-${number}`);
  if (probe === undefined) throw new Error('no probe');
  return probe;
}

async function steps(
  wanted: Cluster,
  number: number,
  probes: ReadonlyMap<string, FakeProbe>,
): Promise<readonly LeavingStep[]> {
  const member = sampleMember(number);
  // As a member of the group sees it that can be asked.
  return decideRemoval(wanted, member, await lookBeforeLeaving(wanted, member, on(probes, 1))).steps;
}

async function essences(resources: readonly Resource[], probe: FakeProbe): Promise<readonly string[]> {
  const outcomes: readonly Outcome[] = await Promise.all(resources.map((each) => each.plan(probe)));
  return outcomes.map((outcome) =>
    outcome.kind === 'unchanged' ? '' : essenceOf({ address: '', outcome, before: '' }),
  );
}

const USUAL: readonly LeavingStep[] = ['stop', 'remove', 'aside'];

describe('a member that is to leave', () => {
  test.each<[string, readonly number[], number, Given]>([
    ['lists others', [1, 2, 3], 3, { status: healthy(3, { members: FIVE.slice(0, 3) }) }],
    ['says that it is of another cluster', [1, 2, 3], 3, { status: healthy(3, { clusterId: '99', members: [] }) }],
    ['is the only one that stays, and lists itself', [1], 1, { status: healthy(1, { members: FIVE.slice(0, 1) }) }],
    ['leaves, too, and lists itself', [1, 2, 3], 4, { status: healthy(4, { members: FIVE.slice(3, 4) }) }],
  ])('leaves whatever one says that lies: it %s', async (_, stay, liar, given) => {
    const leave = [1, 2, 3, 4, 5].filter((number) => !stay.includes(number));
    const probes = hosts(FIVE, { [liar]: given });
    const found = steps(cluster(stay, leave), 5, probes);
    if (liar === 1) await expect(found).resolves.toEqual(['remove', 'stop-after', 'aside']);
    else await expect(found).resolves.toEqual(USUAL);
  });

  test.each<[string, readonly number[], readonly number[], readonly LeavingStep[]]>([
    ['5 → 3', [1, 2, 3], [4, 5], USUAL],
    ['5 → 4', [1, 2, 3, 4], [5], USUAL],
    ['5 → 2', [1, 2], [3, 4, 5], USUAL],
    ['2 → 1: both are needed to agree', [1], [2], ['remove', 'stop-after', 'aside']],
    ['3 → 1: the same for each, so that the plan holds', [1], [2, 3], ['remove', 'stop-after', 'aside']],
    ['3 → 2', [1, 2], [3], USUAL],
  ])('%s', async (_, stay, leave, wanted) => {
    const probes = hosts([...stay, ...leave].map((number) => entry(number)));
    for (const number of leave) expect(await steps(cluster(stay, leave), number, probes)).toEqual(wanted);
  });

  test('the change is the same however many have left before: a later look must agree with the plan', async () => {
    const wanted = cluster([1, 2, 3], [4, 5]);
    const resources = leavingSteps(wanted, wanted.formerMembers[0] ?? sampleMember(4));
    const before = await essences(resources, on(hosts(FIVE), 4));
    expect(await essences(resources, on(hosts(FIVE.slice(0, 4)), 4))).toEqual(before);
    expect(before.filter((each) => each !== '')).toHaveLength(4);
  });

  test.each<[string, Readonly<Record<number, Given | 'away'>>, readonly Entry[], readonly LeavingStep[]]>([
    ['before anything', {}, FIVE, USUAL],
    [
      'disabled, and not stopped',
      { 5: { unit: { ...STOPPED, active: true, enabled: false }, status: healthy(5, { members: FIVE }) } },
      FIVE,
      USUAL,
    ],
    ['stopped, and begins at the next boot', { 5: STARTABLE }, FIVE, USUAL],
    ['stopped', { 5: DOWN }, FIVE, ['remove', 'aside']],
    ['removed', { 5: DOWN }, FIVE.slice(0, 4), ['aside']],
    ['its data aside', {}, FIVE.slice(0, 4), []],
    ['started again by its machine', { 5: STARTABLE }, FIVE.slice(0, 4), ['stop-after', 'aside']],
    ['its data lost by others', { 5: GONE }, FIVE, ['remove']],
  ])('a run that was killed is continued: %s', async (_, others, members, left) => {
    expect(await steps(cluster([1, 2, 3, 4], [5]), 5, hosts(members, others))).toEqual(left);
  });

  test('is taken out of the list that most have, by its entry', async () => {
    const [wanted, member] = [cluster([1, 2, 3, 4], [5]), sampleMember(5)];
    const look = await lookBeforeLeaving(wanted, member, on(hosts(FIVE), 5));
    expect(decideRemoval(wanted, member, look)).toEqual({ steps: USUAL, removed: entry(5), clusterId: '77' });
    const left = await lookBeforeLeaving(wanted, member, on(hosts(FIVE.slice(0, 4), { 5: DOWN }), 5));
    expect(decideRemoval(wanted, member, left)).toEqual({ steps: ['aside'], removed: undefined });
  });

  test('one that is a learner only leaves as well', async () => {
    const members = [...FIVE.slice(0, 3), entry(4, { isLearner: true })];
    const learner: Given = { status: healthy(4, { isLearner: true, members: [] }) };
    expect(await steps(cluster([1, 2, 3], [4]), 4, hosts(members, { 4: learner }))).toEqual(USUAL);
  });

  test.each<[string, Given]>([
    ['another cluster runs there by now', { status: healthy(5, { clusterId: '99' }) }],
    ['others have configured what runs there', { status: SILENT, isForeign: true }],
    [
      'it began among strangers',
      { ...STARTABLE, data: { ...DATA, initialCluster: 'm5=https://10.0.0.5:2380,x=https://192.0.2.1:2380' } },
    ],
    ['it began elsewhere', { ...STARTABLE, data: { ...DATA, initialCluster: 'x=https://192.0.2.1:2380' } }],
  ])('a host that has left is let be: %s', async (_, five) => {
    expect(await steps(cluster([1, 2, 3, 4], [5]), 5, hosts(FIVE.slice(0, 4), { 5: five }))).toEqual([]);
  });

  test.each<
    [string, string, readonly number[], readonly number[], readonly Entry[], Readonly<Record<number, Given | 'away'>>]
  >([
    ['a member that stays does not answer', 'quorum-at-risk', [1, 2, 3, 4], [5], FIVE, { 3: { status: SILENT } }],
    [
      'of two that stay and do not answer one runs',
      'quorum-at-risk',
      [1, 2, 3, 4],
      [5],
      FIVE,
      { 3: STARTABLE, 4: { status: SILENT } },
    ],
    [
      'it is the only one on the list, whatever one says that stays',
      'quorum-at-risk',
      [1],
      [5],
      [entry(5)],
      { 1: { status: healthy(1, { members: [entry(5)] }) } },
    ],
    [
      'the others would be a quorum only with one of another cluster',
      'quorum-at-risk',
      [1, 2, 3],
      [4, 5],
      FIVE,
      { 3: { status: healthy(3, { clusterId: '99', members: [] }) }, 4: DOWN },
    ],
    ['a member that stays is away', 'quorum-at-risk', [1, 2, 3, 4], [5], FIVE, { 3: 'away' }],
    [
      'a member that stays can not commit',
      'quorum-at-risk',
      [1, 2, 3, 4],
      [5],
      FIVE,
      { 3: { status: healthy(3, { isHealthy: false, members: FIVE }) } },
    ],
    [
      'members that stay know no leader',
      'quorum-at-risk',
      [1, 2, 3, 4],
      [5],
      FIVE,
      { 3: { status: healthy(3, { leaderId: '0', members: FIVE }) } },
    ],
    [
      'nobody answers',
      'quorum-at-risk',
      [1, 2, 3, 4],
      [5],
      FIVE,
      Object.fromEntries([1, 2, 3, 4].map((each) => [each, STARTABLE])),
    ],
    ['two of three are gone', 'quorum-at-risk', [1], [2, 3], FIVE.slice(0, 3), { 2: DOWN, 3: DOWN }],
    [
      'another is a learner that nobody names',
      'membership-differs',
      [1, 2, 3],
      [5],
      [...FIVE.slice(0, 3), entry(5), entry(9, { isLearner: true })],
      {},
    ],
    [
      'another that stays has never started',
      'membership-pending',
      [1, 2, 3, 4],
      [5],
      [...FIVE.slice(0, 3), entry(4, { name: '' }), entry(5)],
      { 4: { unit: STOPPED, status: SILENT } },
    ],
    ['etcd lists one more than the inventory knows', 'membership-differs', [1, 2, 3], [5], FIVE, {}],
    [
      'half of the members list different ones',
      'membership-differs',
      [1, 2, 3, 4],
      [5],
      FIVE,
      {
        3: { status: healthy(3, { members: FIVE.slice(0, 3) }) },
        4: { status: healthy(4, { members: FIVE.slice(0, 3) }) },
      },
    ],
    [
      'it is listed twice',
      'membership-differs',
      [1, 2, 3],
      [5],
      [...FIVE.slice(0, 3), entry(5), { ...entry(9), name: 'm5' }],
      {},
    ],
    [
      'another cluster runs on its host, and it is listed',
      'foreign-etcd',
      [1, 2, 3, 4],
      [5],
      FIVE,
      { 5: { status: healthy(5, { clusterId: '99', memberId: '7' }) } },
    ],
  ])('is refused: %s', async (_, code, stay, leave, members, others) => {
    const last = leave.at(-1) ?? 5;
    await expectRefused(steps(cluster(stay, leave), last, hosts(members, others)), code);
  });

  test.each<[string, readonly number[], readonly number[], number, Readonly<Record<number, Given>>]>([
    ['of two', [1], [2], 2, {}],
    ['of four, whose others are yet to join', [1, 4, 5], [2, 3], 3, { 4: GONE, 5: GONE }],
    ['of two that leave, and is stopped', [1], [2, 3], 3, { 3: DOWN }],
    ['of three, by two that lie', [1, 2], [3], 3, {}],
  ])('one that lists itself alone is not believed against a member that serves: %s', async (...row) => {
    const [, stay, leave, last, others] = row;
    const honest = [...stay, ...leave].filter((number) => others[number] !== GONE).map((number) => entry(number));
    const lies = stay.map((number) => entry(number)).filter(({ id }) => others[Number(id)] !== GONE);
    const liars = Object.fromEntries(
      lies.map(({ id }) => [Number(id), { status: healthy(Number(id), { members: lies }) }]),
    );
    const planned = steps(cluster(stay, leave), last, hosts(honest, { ...liars, ...others }));
    await expect(planned).rejects.toMatchObject({
      code: 'membership-differs',
      message: expect.stringContaining(`etcd-1 does not list m${last}`),
    });
  });

  test.each<[string, Partial<ReturnType<typeof healthy>>]>([
    ['can not commit', { isHealthy: false }],
    ['knows that it is off the list', { members: [entry(1)] }],
  ])('one that was removed, still runs, and %s, is ended', async (_, own) => {
    const runs: Given = { status: healthy(2, { members: [entry(1), entry(2)], ...own }) };
    expect(await steps(cluster([1], [2]), 2, hosts([entry(1)], { 2: runs }))).toEqual(['stop-after', 'aside']);
  });

  test('two that stay are believed before one that is to leave, of a third one', async () => {
    const liar: Given = { status: healthy(3, { members: [1, 2, 3, 4].map((number) => entry(number)) }) };
    const lagging = hosts([entry(1), entry(2)], { 3: liar, 4: DOWN });
    expect(await steps(cluster([1, 2], [3, 4]), 4, lagging)).toEqual(['aside']);
  });

  test('a member that only has to be started is started first, by its own role', async () => {
    expect(await steps(cluster([1, 2, 3, 4], [5]), 5, hosts(FIVE, { 3: STARTABLE }))).toEqual(USUAL);
  });

  test('hosts that join do so before: their learner is no change of others', async () => {
    const members = [...FIVE.slice(0, 3), entry(4, { isLearner: true, name: '' })];
    const probes = hosts(members, { 4: GONE });
    expect(await steps(cluster([1, 2, 4], [3]), 3, probes)).toEqual(USUAL);
  });

  test('hosts that join do so before: also the second of them', async () => {
    const members = [...FIVE.slice(0, 3), entry(5, { isLearner: true, name: '' })];
    expect(await steps(cluster([1, 2, 4, 5], [3]), 3, hosts(members, { 4: GONE, 5: GONE }))).toEqual(USUAL);
  });

  test('others leave with it: their learner is no change of others, either', async () => {
    const members = [...FIVE.slice(0, 3), entry(5, { isLearner: true })];
    const learner: Given = { status: healthy(5, { isLearner: true, members: [] }) };
    expect(await steps(cluster([1, 2, 4], [3, 5]), 3, hosts(members, { 4: GONE, 5: learner }))).toEqual(USUAL);
  });

  test('of several changes that others have begun, the first is named', async () => {
    const members = [...FIVE.slice(0, 2), entry(3, { name: '' }), entry(4, { name: '' }), entry(5)];
    const waits = { unit: STOPPED, status: SILENT };
    await expect(steps(cluster([1, 2, 3, 4], [5]), 5, hosts(members, { 3: waits, 4: waits }))).rejects.toMatchObject({
      code: 'membership-pending',
      message: expect.stringContaining('https://10.0.0.3:2380'),
    });
  });

  test('hosts that join do so before: of one or two members none could leave alone', async () => {
    const two = [entry(1), entry(2)];
    const bare = { 3: GONE, 4: GONE, 5: GONE };
    for (const leaving of [1, 2])
      expect(await steps(cluster([3, 4, 5], [1, 2]), leaving, hosts(two, bare))).toEqual(USUAL);
    expect(await steps(cluster([3, 4, 5], [1]), 1, hosts([entry(1)], { 2: GONE, ...bare }))).toEqual(USUAL);
  });

  test('who leads leaves last, who is stopped already first', async () => {
    const wanted = cluster([2, 3], [1, 4, 5]);
    const probes = hosts(FIVE, { 5: DOWN });
    const ordered = await orderTable(wanted).get('leader-last')?.(
      ['etcd-1', 'etcd-4', 'etcd-5'],
      (name) => probes.get(name) ?? on(probes, 1),
    );
    expect(ordered).toEqual({ hosts: ['etcd-5', 'etcd-4', 'etcd-1'], together: false });
  });
});

describe('a stacked member that is to leave', () => {
  const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';
  const stacked = { ...sampleMember(3), manifest: MANIFEST };
  const wanted = { ...cluster([1, 2], [3]), formerMembers: [stacked] };
  const THREE = FIVE.slice(0, 3);
  const RUNS: EtcdPod = { hasManifest: true, isRunning: true, clusterId: '77' };

  async function stepsWith(pod: EtcdPod, members: readonly Entry[], given: Given): Promise<readonly LeavingStep[]> {
    const others = Object.fromEntries(
      [1, 2].map((number) => [`etcd-${number}`, host(number, { status: healthy(number, { members }) })]),
    );
    const own = { ...host(3, given), 'etcd-pod': { [etcdPodKey(stacked)]: pod } };
    const probes = fakeProbes({ ...others, 'etcd-3': own });
    return decideRemoval(wanted, stacked, await lookBeforeLeaving(wanted, stacked, on(probes, 1))).steps;
  }

  const ANSWERS: Given = { status: healthy(3, { members: THREE }) };
  const ENDED = { ...RUNS, hasManifest: false, isRunning: false };

  test.each<[string, EtcdPod, readonly Entry[], Given, readonly LeavingStep[]]>([
    ['all of it', RUNS, THREE, ANSWERS, USUAL],
    ['it was killed while its pod ends', { ...RUNS, hasManifest: false }, THREE, ANSWERS, USUAL],
    ['its manifest is gone', ENDED, THREE, DOWN, ['remove', 'aside']],
    ['it is off the list', ENDED, FIVE.slice(0, 2), DOWN, ['aside']],
    ['it is off the list, and runs', RUNS, FIVE.slice(0, 2), DOWN, ['stop-after', 'aside']],
    ['nothing', ENDED, FIVE.slice(0, 2), GONE, []],
    ['nothing: what is there now is of another cluster', { ...RUNS, clusterId: '99' }, FIVE.slice(0, 2), DOWN, []],
    ['nothing: its log can not be read', { ...RUNS, clusterId: undefined }, FIVE.slice(0, 2), DOWN, []],
  ])('what is left to do: %s', async (_, pod, members, given, expected) => {
    expect(await stepsWith(pod, members, given)).toEqual(expected);
  });

  test('is ended by its manifest, which is kept, and brought back with it; no unit is touched', async () => {
    const others = Object.fromEntries(
      [1, 2].map((number) => [`etcd-${number}`, host(number, { status: healthy(number, { members: THREE }) })]),
    );
    const probes = fakeProbes({
      ...others,
      'etcd-3': { ...host(3, ANSWERS), 'etcd-pod': { [etcdPodKey(stacked)]: RUNS } },
    });
    const outcomes = await Promise.all(leavingSteps(wanted, stacked).map(async (each) => each.plan(on(probes, 3))));
    const changes = outcomes.flatMap((outcome) => (outcome.kind === 'change' ? [outcome.change] : []));
    expect(changes.map(({ summary }) => summary)).toEqual([
      'save a snapshot of the cluster on this machine',
      'end the static pod of etcd (member m3): it leaves the cluster',
      expect.stringContaining('remove m3 from the list of members'),
      'move the data of the former member aside: /var/lib/etcd/default/member',
    ]);
    expect(changes[1]?.diff).toContain(`${MANIFEST} → /etc/kubernetes/etcd.yaml.removed: kept, never deleted`);
    const scripts = changes.flatMap(({ actions }) =>
      actions.flatMap((action) => (action.kind === 'run' ? [action.command.script] : [])),
    );
    expect(scripts.join('\n')).not.toContain('systemctl');
  });
});

describe('a member that is to leave, and whose host is lost', () => {
  const wanted = cluster([1, 2, 3, 4], [5]);

  test('leaves where nobody hears it: one that stays asks for it', async () => {
    const probes = hosts(FIVE, { 5: 'away' });
    const look = await lookBeforeLeaving(wanted, sampleMember(5), on(probes, 1));
    expect(decideRemoval(wanted, sampleMember(5), look)).toEqual({
      ...{ steps: ['remove'], removed: entry(5), clusterId: '77' },
    });
    expect((await lines(wanted, probes)).slice(1)).toEqual([
      [
        ...removed(5, 'then etcd has 4 members: 3 must run, so it survives the loss of 1, no more than 3 would'),
        ...TAKEN_OUT(5),
      ],
    ]);
  });

  const removed = (number: number, size: string): readonly string[] => [
    `member-remove:m${number}`,
    `remove m${number} from the list of members, by its id ${number}`,
    `- m${number} (id ${number}, https://10.0.0.${number}:2380)`,
    `etcd-${number} can't be asked, and nobody answers at its address: what is on it stays`,
    "with its old data it can't come back: etcd ends there by itself",
    size,
  ];
  const TAKEN_OUT = (number: number): readonly string[] => [
    ...['wait for etcd-healthy {}', 'wait for peers-take-writes {}'],
    ...[`$ etcdctl member remove ${number}`, 'stays: it stays removed: run the same command again'],
  ];
  /** What the first member does for those that are lost. */
  async function lines(of: Cluster, probes: ReadonlyMap<string, FakeProbe>): Promise<readonly (readonly string[])[]> {
    const resources = lostLeavingSteps(of, sampleMember(1));
    return Promise.all(resources.map(async (each) => [each.address, ...shownChange(await each.plan(on(probes, 1)))]));
  }

  test('is taken out by the one that stays, which stops nothing; one that is there, by its own host, once it is stopped', async () => {
    const request = { peers: wanted.members, clusterId: '77' };
    const scriptsOf = async (planned: Promise<Outcome>): Promise<readonly string[]> => {
      const outcome = await planned;
      return outcome.kind === 'change'
        ? outcome.change.actions.flatMap((action) => (action.kind === 'run' ? [action.command.script] : []))
        : [];
    };
    const lost = lostLeavingSteps(wanted, sampleMember(1)).at(-1);
    expect(
      await scriptsOf(lost?.plan(on(hosts(FIVE, { 5: 'away' }), 1)) ?? Promise.reject(new Error('no step'))),
    ).toEqual([removeLeaving({ ...request, member: sampleMember(1) }, '5', undefined).script]);
    const own = leavingSteps(wanted, sampleMember(5))[2];
    expect(await scriptsOf(own?.plan(on(hosts(FIVE), 5)) ?? Promise.reject(new Error('no step')))).toEqual([
      removeLeaving({ ...request, member: sampleMember(5) }, '5', sampleMember(5)).script,
    ]);
  });

  test('serves others still: it is not taken away from under its clients', async () => {
    const key = etcdStatusKey({ clientUrl: 'https://10.0.0.5:2379', client: sampleMember(1).client });
    const alive = Object.fromEntries(
      [1, 2, 3, 4].map((number) => {
        const answers = host(number, { status: healthy(number, { members: FIVE }) });
        return [`etcd-${number}`, { ...answers, 'etcd-status': { ...answers['etcd-status'], [key]: healthy(5) } }];
      }),
    );
    const probes = fakeProbes({ ...alive, 'etcd-5': UNREACHABLE });
    await expectRefused(steps(wanted, 5, probes), 'member-not-gone');
  });

  test('the last but one can not be removed without it', async () => {
    const probes = hosts(FIVE.slice(0, 2), { 2: 'away' });
    await expectRefused(steps(cluster([1], [2]), 2, probes), 'quorum-at-risk');
  });

  test('of two that are lost, each leaves; a live one leaves after them', async () => {
    const two = cluster([1, 2, 3], [4, 5]);
    const probes = hosts(FIVE, { 4: 'away', 5: 'away' });
    const [snapshot, ...both] = await lines(two, probes);
    expect(snapshot?.slice(0, 2)).toEqual(['snapshot:before', 'save a snapshot of the cluster on this machine']);
    expect(both).toEqual(
      [4, 5].map((number) => [...removed(number, expect.any(String) as unknown as string), ...TAKEN_OUT(number)]),
    );
    expect(await steps(two, 4, hosts(FIVE, { 5: 'away' }))).toEqual(USUAL);
  });

  test('where its host can be asked, that has the work; once it has left, nothing is left', async () => {
    const plans = async (probes: ReadonlyMap<string, FakeProbe>): Promise<readonly string[]> =>
      essences(lostLeavingSteps(wanted, sampleMember(1)), on(probes, 1));
    expect(await plans(hosts(FIVE))).toEqual(['', '']);
    expect(await plans(hosts(FIVE.slice(0, 4), { 5: 'away' }))).toEqual(['', '']);
  });
});

describe('the members that stay', () => {
  test('are members of one cluster with those that leave, until these have left', async () => {
    const wanted = cluster([1, 2, 3], [4, 5]);
    const seen = await lookAtMembers(wanted, on(hosts(FIVE), 1));
    expect(seen.present.members.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
    const left = await lookAtMembers(wanted, on(hosts(FIVE.slice(0, 3)), 1));
    expect(left.present.members.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3']);
    expect([left.yetToJoin, left.joining]).toEqual([[], []]);
  });

  test.each([
    ['they leave', FIVE],
    ['they have left', FIVE.slice(0, 3)],
  ])('are not refused while the inventory says that the others are to leave: %s', async (_, members) => {
    const wanted = cluster([1, 2, 3], [4, 5]);
    const outcome = await etcdMember({ cluster: wanted, member: sampleMember(1), runsWith: [] }).plan(
      on(hosts(members), 1),
    );
    expect(outcome.kind).toBe('unchanged');
    // The check would find one that nobody names.
    const unnamed = etcdMember({ cluster: cluster([1, 2, 3], []), member: sampleMember(1), runsWith: [] });
    const planned = unnamed.plan(on(hosts(FIVE), 1));
    await expect(planned).rejects.toMatchObject({
      code: 'membership-differs',
      hint: expect.stringContaining('etcd_former:'),
    });
  });

  test('begin no second cluster beside one of which only former members are left, reached or not', async () => {
    const wanted = cluster([1, 2], [5]);
    const bare = { data: NO_DATA, unit: STOPPED, status: SILENT };
    const phase = async (five: Given | 'away'): Promise<string> =>
      clusterPhase(await lookAtMembers(wanted, on(hosts([], { 1: bare, 2: bare, 5: five }), 1)));
    expect(await phase('away')).toBe('unsure');
    expect(await phase(STARTABLE)).toBe('down');
    expect(await phase(GONE)).toBe('absent');
    expect(await phase({ status: healthy(5, { members: [entry(5)] }) })).toBe('serving');
  });

  test('are believed before one that has left, whatever that says', async () => {
    const liar: Given = { status: healthy(5, { members: [entry(5)] }) };
    const seen = await lookAtMembers(cluster([1, 2, 3, 4], [5]), on(hosts(FIVE.slice(0, 4), { 5: liar }), 1));
    expect(seen.present.members.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3', 'm4']);
  });
});

describe('the look before a member leaves', () => {
  const wanted = cluster([1, 2, 3], [4, 5]);
  const refused = { kind: 'silent', reason: 'connection refused' };
  const heard = (number: number): object => ({ host: `etcd-${number}`, ...healthy(number, { members: FIVE }) });
  const runs: Given = { data: DATA, status: SILENT };

  test('has all that the hosts say', async () => {
    const probes = hosts(FIVE, { 2: runs, 3: STARTABLE });
    expect(await lookBeforeLeaving(wanted, sampleMember(4), on(probes, 1))).toEqual({
      here: {
        ...{ state: { host: 'etcd-4', isRunning: true, ...DATA }, own: healthy(4, { members: FIVE }) },
        ...{ isRunning: true, isEnabled: true, isOurs: true },
      },
      elsewhere: { kind: 'silent', reason: 'nobody was asked' },
      others: [heard(1), heard(5)],
      silent: [
        { host: 'etcd-2', reason: refused.reason, isStopped: false },
        { host: 'etcd-3', reason: refused.reason, isStopped: true },
      ],
      ...{ former: [heard(4), heard(5)], yetToJoin: [] },
    });
  });

  test('has what the others hear of hosts that can not be asked', async () => {
    const key = etcdStatusKey({ clientUrl: 'https://10.0.0.5:2379', client: sampleMember(1).client });
    const hearing = (number: number): FakeAnswers => {
      const answers = host(number, { status: healthy(number, { members: FIVE }) });
      return { ...answers, 'etcd-status': { ...answers['etcd-status'], [key]: healthy(5) } };
    };
    const away = { 'etcd-3': UNREACHABLE, 'etcd-5': UNREACHABLE };
    const probes = fakeProbes({ 'etcd-1': hearing(1), 'etcd-2': hearing(2), 'etcd-4': hearing(4), ...away });
    expect(await lookBeforeLeaving(wanted, sampleMember(5), on(probes, 1))).toMatchObject({
      ...{ here: undefined, elsewhere: healthy(5), others: [heard(1), heard(2), heard(4)] },
      silent: [{ host: 'etcd-3', isStopped: false }],
    });
  });

  test.each<[string, Given, object]>([
    ['one that is disabled', { unit: { ...RUNNING, enabled: false } }, { isRunning: true, isEnabled: false }],
    ['one that others have configured', { isForeign: true }, { isOurs: false }],
    ['one that began alone', { data: { ...DATA, initialCluster: 'm4=https://10.0.0.4:2380' } }, { isOurs: true }],
    [
      'one that began beside the last of this cluster',
      { data: { ...DATA, initialCluster: 'm4=https://10.0.0.4:2380,e=https://10.0.0.5:2380' } },
      { isOurs: true },
    ],
    ['one that has begun nothing', { data: MEMBER_DATA }, { isOurs: false }],
    [
      'one whose process has not said yet that it is ready',
      { unit: { ...STOPPED, enabled: false }, status: healthy(4, { members: FIVE }) },
      { isRunning: true, isEnabled: false, state: { isRunning: false } },
    ],
  ])('of %s', async (_, four, here) => {
    const probes = hosts(FIVE, { 4: { status: healthy(4, { members: FIVE }), ...four } });
    expect(await lookBeforeLeaving(wanted, sampleMember(4), on(probes, 1))).toMatchObject({ here });
  });
});
