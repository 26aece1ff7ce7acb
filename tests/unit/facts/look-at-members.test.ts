import { describe, expect, test } from '@jest/globals';
import { etcdDataKey, type EtcdData } from '../../../src/facts/etcd-data.js';
import { lookAtMembers } from '../../../src/facts/etcd-phase.js';
import { etcdPodKey } from '../../../src/facts/etcd-pod.js';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import type { Cluster, Member } from '../../../src/model/cluster.js';
import { healthy, MEMBER_DATA, NO_DATA, RUNNING, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

/** What a host shows; `elsewhere`: what it hears of a member whose host is away, by the number of that one. */
interface Shown {
  readonly data?: EtcdData;
  readonly runs?: boolean;
  readonly status?: EtcdStatus;
  readonly elsewhere?: Readonly<Record<number, EtcdStatus>>;
}

/** Clients of each have files of their own. */
function member(number: number): Member {
  return { ...sampleMember(number), client: { ...sampleMember(number).client, key: `/client-${number}.key` } };
}

function answers(of: Member, { data = MEMBER_DATA, runs = true, status = SILENT, elsewhere = {} }: Shown): FakeAnswers {
  const others = Object.entries(elsewhere).map(([number, told]): [string, EtcdStatus] => [
    etcdStatusKey({ clientUrl: `https://10.0.0.${number}:2379`, client: of.client }),
    told,
  ]);
  return {
    'etcd-data': { [etcdDataKey(of)]: data },
    units: { etcd: runs ? RUNNING : STOPPED },
    'etcd-status': { [etcdStatusKey(of)]: status, ...Object.fromEntries(others) },
  };
}

/** Looks at members, from the first host. @param former numbers of those that are to leave @param shown `away`: its host can't be asked */
async function look(
  shown: Readonly<Record<number, Shown | 'away'>>,
  { former = [], isManaged = true }: { readonly former?: readonly number[]; readonly isManaged?: boolean } = {},
) {
  const numbers = Object.keys(shown).map(Number);
  const cluster: Cluster = {
    ...SAMPLE_CLUSTER,
    isManaged,
    members: numbers.filter((number) => !former.includes(number)).map(member),
    formerMembers: former.map(member),
  };
  const hosts = Object.entries(shown).map(([number, each]): [string, FakeAnswers] => [
    `etcd-${number}`,
    each === 'away' ? UNREACHABLE : answers(member(Number(number)), each),
  ]);
  const probe = fakeProbes(Object.fromEntries(hosts)).get('etcd-1');
  if (probe === undefined) throw new Error('the first host is there');
  const seen = await lookAtMembers(cluster, probe);
  return {
    seen,
    states: seen.states.map(({ host }) => host),
    away: seen.away.map(({ host, status }) => `${host} ${status.kind}`),
    joining: seen.joining.map(({ host }) => host),
    yetToJoin: seen.yetToJoin.map(({ host }) => host),
    present: seen.present.members.map(({ host }) => host),
  };
}

const entry = (number: number, isLearner = false) => ({
  id: `${number}`,
  name: `m${number}`,
  peerUrls: [`https://10.0.0.${number}:2380`],
  isLearner,
});
const ok = (number: number, listed: readonly number[] = [1, 2, 3], learners: readonly number[] = []): Shown => ({
  status: healthy(number, { members: listed.map((each) => entry(each, learners.includes(each))) }),
});
const BARE: Shown = { data: NO_DATA, runs: false };

describe('members as their hosts show them', () => {
  test('are all in, each with its own data, and whether its unit runs', async () => {
    const found = await look({ 1: ok(1), 2: { ...ok(2), runs: false }, 3: ok(3) });
    expect(found.seen.states).toEqual([
      { host: 'etcd-1', isRunning: true, ...MEMBER_DATA },
      { host: 'etcd-2', isRunning: false, ...MEMBER_DATA },
      { host: 'etcd-3', isRunning: true, ...MEMBER_DATA },
    ]);
    expect(found).toMatchObject({ away: [], joining: [], yetToJoin: [], present: ['etcd-1', 'etcd-2', 'etcd-3'] });
    expect(found.seen.present.formerMembers).toEqual([]);
  });

  test('that are pods run where a process uses their data', async () => {
    const pod = { ...member(1), manifest: '/etc/kubernetes/manifests/etcd.yaml' };
    const shown: FakeAnswers = {
      'etcd-data': { [etcdDataKey(pod)]: MEMBER_DATA },
      'etcd-pod': { [etcdPodKey({ manifest: pod.manifest, dataDir: pod.dataDir })]: { isRunning: true } },
      'etcd-status': { [etcdStatusKey(pod)]: SILENT },
    };
    const probe = fakeProbes({ 'etcd-1': shown }).get('etcd-1');
    if (probe === undefined) throw new Error('the host is there');
    const { states } = await lookAtMembers({ ...SAMPLE_CLUSTER, members: [pod], formerMembers: [] }, probe);
    expect(states).toMatchObject([{ host: 'etcd-1', isRunning: true }]);
  });
});

describe('a host of the inventory', () => {
  test.each<[string, Shown, boolean, boolean]>([
    ['bare and not listed', BARE, true, true],
    ['bare and not listed, of a cluster of others', BARE, false, false],
    ['not listed, with data: someone removed it', {}, true, false],
  ])('that is %s (managed: %s)', async (_, third, isManaged, joins) => {
    const found = await look({ 1: ok(1, [1, 2]), 2: ok(2, [1, 2]), 3: third }, { isManaged });
    expect([found.joining, found.yetToJoin]).toEqual(joins ? [['etcd-3'], ['etcd-3']] : [[], []]);
    expect(found.present.includes('etcd-3')).toBe(!joins);
    expect(found.states.includes('etcd-3')).toBe(!joins);
  });

  test('that is listed is in, bare or not', async () => {
    expect(await look({ 1: ok(1), 2: ok(2), 3: BARE })).toMatchObject({
      joining: [],
      states: ['etcd-1', 'etcd-2', 'etcd-3'],
    });
  });

  test('is in where nobody says who the members are', async () => {
    expect(await look({ 1: {}, 2: BARE, 3: BARE })).toMatchObject({
      joining: [],
      present: ['etcd-1', 'etcd-2', 'etcd-3'],
    });
  });

  test('joins as a learner before one that is not listed yet, also where it has data', async () => {
    const list = [1, 2, 4];
    const found = await look({ 1: ok(1, list, [4]), 2: ok(2, list, [4]), 3: BARE, 4: {} });
    expect(found).toMatchObject({ joining: ['etcd-3', 'etcd-4'], yetToJoin: ['etcd-4', 'etcd-3'] });
  });
});

describe('a member that is to leave', () => {
  const leaving = async (third: Shown | 'away', listed: readonly number[] | undefined) => {
    const says = (number: number): Shown => ({
      ...(listed === undefined ? {} : ok(number, listed)),
      elsewhere: { 3: SILENT },
    });
    return look({ 1: says(1), 2: says(2), 3: third }, { former: [3] });
  };

  test.each<[string, Shown | 'away', readonly number[] | undefined, boolean]>([
    ['is in while it is listed', {}, [1, 2, 3], true],
    ['is in while it is listed, though bare', BARE, [1, 2, 3], true],
    ['is out where it is not listed, though it has data', {}, [1, 2], false],
    ['is in where nobody says, and it has data', {}, undefined, true],
    ['is in where nobody says, and nobody can ask it', 'away', undefined, true],
    ['is out where nobody says, and it is bare', BARE, undefined, false],
  ])('%s', async (_, third, listed, isIn) => {
    const found = await leaving(third, listed);
    expect(found.present).toEqual(['etcd-1', 'etcd-2', ...(isIn ? ['etcd-3'] : [])]);
    expect([found.joining, found.yetToJoin]).toEqual([[], []]);
  });
});

describe('a member whose host can not be asked', () => {
  const told = (first: EtcdStatus | undefined, second: EtcdStatus | undefined) =>
    look({
      1: { ...ok(1, [1, 2, 3, 4]), ...(first === undefined ? {} : { elsewhere: { 3: first } }) },
      2: { ...ok(2, [1, 2, 3, 4]), ...(second === undefined ? {} : { elsewhere: { 3: second } }) },
      3: 'away',
      // Two are enough: this one is not asked, and has no answer.
      4: ok(4, [1, 2, 3, 4]),
    });

  test.each<[string, EtcdStatus, EtcdStatus, string]>([
    ['answers where two others hear it', healthy(3), healthy(3), 'etcd-3 answers'],
    ['is silent where only the first hears it', healthy(3), SILENT, 'etcd-3 silent'],
    ['is silent where only the second hears it', SILENT, healthy(3), 'etcd-3 silent'],
    ['is silent where nobody hears it', SILENT, SILENT, 'etcd-3 silent'],
  ])('%s', async (_, first, second, expected) => {
    const { away, seen } = await told(first, second);
    expect(away).toEqual([expected]);
    expect(seen.away[0]?.error).toMatchObject({ code: 'unreachable', host: 'etcd-3' });
    if (expected.endsWith('silent'))
      expect(seen.away[0]?.status).toEqual({
        kind: 'silent',
        reason: "its host can't be asked (etcd-3: can't connect to it: no route)",
      });
  });

  test('is silent where nobody is left to ask it', async () => {
    const found = await look({ 1: 'away', 2: 'away' });
    expect(found).toMatchObject({ states: [], away: ['etcd-1 silent', 'etcd-2 silent'] });
  });
});
