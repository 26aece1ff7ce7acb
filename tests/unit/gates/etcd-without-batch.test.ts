import { describe, expect, test } from '@jest/globals';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import { etcdLearnerCaughtUp, etcdServesWithoutBatch } from '../../../src/gates/etcd-without-batch.js';
import type { GateAnswer } from '../../../src/model/gate.js';
import { etcdHost, healthy, NO_DATA, RUNNING, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { joiningHost, listedMember } from '../../support/joining-hosts.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const LISTED = healthy(1).members;
const WITHOUT = LISTED.slice(0, 2);
const learner = (name: string) => ({ id: '30', name, peerUrls: ['https://10.0.0.3:2380'], isLearner: true });
/** What the learner of etcd-3 says of itself: no list. */
const OWN = healthy(3, { memberId: '30', isLearner: true, isHealthy: false, members: [] });

/** A host; nobody answers it at the URLs of others. */
const host = (status: EtcdStatus): FakeAnswers => {
  const answers = etcdHost({ status });
  const elsewhere = [2, 3].map((number) =>
    etcdStatusKey({ clientUrl: `https://10.0.0.${number}:2379`, client: sampleMember(number).client }),
  );
  return {
    ...answers,
    'etcd-status': { ...answers['etcd-status'], ...Object.fromEntries(elsewhere.map((key) => [key, SILENT])) },
  };
};
const hosts = (
  three: FakeAnswers,
  members: typeof LISTED = WITHOUT,
  two = healthy(2, { members }),
): Record<string, FakeAnswers> => ({
  'etcd-1': host(healthy(1, { members })),
  'etcd-2': host(two),
  'etcd-3': three,
});

describe('etcd-serves-without-batch', () => {
  const check = async (given: Record<string, FakeAnswers>): Promise<GateAnswer> =>
    etcdServesWithoutBatch(SAMPLE_CLUSTER, () => new Date('2026-12-01T12:00:00Z')).check(
      gateInput(fakeProbes(given), { batch: ['etcd-3'] }),
    );

  test.each([
    ['the dead member is listed', hosts(UNREACHABLE, LISTED)],
    ['it is not listed any more', hosts(host(SILENT))],
    ['a learner is listed in its place', hosts(host(OWN), [...WITHOUT, learner('')])],
  ])('opens, whatever the host of the batch is: %s', async (_, given) => {
    expect(await check(given)).toEqual({ open: true });
  });

  test.each([
    [
      'is down',
      hosts(host(SILENT), WITHOUT, { ...healthy(2), members: WITHOUT, isHealthy: false }),
      /etcd-2 cannot commit/,
    ],
    [
      'has another leader',
      hosts(host(SILENT), WITHOUT, healthy(2, { members: WITHOUT, leaderId: '2' })),
      /disagree on the leader/,
    ],
    [
      'lists another one',
      hosts(host(SILENT), WITHOUT, healthy(2, { members: LISTED.slice(1) })),
      /disagree on the list/,
    ],
    ['is a learner', hosts(host(SILENT), [...WITHOUT, { ...learner('m9'), peerUrls: [] }]), /m9/],
  ])('stays closed where another member %s', async (_, given, reason) => {
    expect(await check(given)).toMatchObject({ open: false, reason: expect.stringMatching(reason) as unknown });
  });

  test('stays closed where another host can not be asked, and its member does not answer', async () => {
    const away = { ...hosts(host(SILENT)), 'etcd-2': UNREACHABLE };
    expect(await check(away)).toMatchObject({ open: false, isAway: true });
  });
});

test('whatever etcd lists for one of the batch that is to leave', async () => {
  const cluster = { ...SAMPLE_CLUSTER, members: [sampleMember(1), sampleMember(2)], formerMembers: [sampleMember(3)] };
  const two = healthy(2, { members: [...WITHOUT, learner('m3')] });
  const probes = fakeProbes({
    'etcd-1': host(healthy(1, { members: WITHOUT })),
    'etcd-2': host(two),
    'etcd-3': UNREACHABLE,
  });
  const gate = etcdServesWithoutBatch(cluster, () => new Date('2026-12-01T12:00:00Z'));
  expect(await gate.check(gateInput(probes, { batch: ['etcd-3'] }))).toEqual({ open: true });
});

test('a host that can not be asked, and whose member others hear, counts as any other does', async () => {
  const five = { ...SAMPLE_CLUSTER, members: [1, 2, 3, 4, 5].map((number) => sampleMember(number)) };
  const members = [1, 2, 3, 4, 5].map((number) => listedMember(number));
  const heard = healthy(3, { members, usualFailure: 'certificate has expired' });
  const asker = (number: number): FakeAnswers => {
    const own = joiningHost(number, { status: healthy(number, { members }) });
    const key = etcdStatusKey({ clientUrl: 'https://10.0.0.3:2379', client: sampleMember(3).client });
    return { ...own, 'etcd-status': { ...own['etcd-status'], [key]: heard } };
  };
  const away = { 'etcd-3': UNREACHABLE, 'etcd-4': UNREACHABLE, 'etcd-5': UNREACHABLE };
  const probes = fakeProbes({ 'etcd-1': asker(1), 'etcd-2': asker(2), ...away });
  const gate = etcdServesWithoutBatch(five, () => new Date('2026-12-01T12:00:00Z'));
  expect(await gate.check(gateInput(probes, { batch: ['etcd-5'] }))).toEqual({
    open: true,
    note: "etcd-4 can't be asked, and is left out; etcd-3 answers, but not as usual: certificate has expired",
  });
});

describe('etcd-learner-caught-up', () => {
  const check = async (own: EtcdStatus, members: typeof LISTED = [...WITHOUT, learner('m3')]): Promise<GateAnswer> =>
    etcdLearnerCaughtUp(SAMPLE_CLUSTER).check(gateInput(fakeProbes(hosts(host(own), members)), { batch: ['etcd-3'] }));

  test('opens with both indexes', async () => {
    expect(await check({ ...OWN, raftIndex: 4990 })).toEqual({
      open: true,
      note: 'etcd-3 has caught up: raft index 4990 of 5000',
    });
  });

  test('opens where all that vote are to leave', async () => {
    const cluster = {
      ...SAMPLE_CLUSTER,
      members: [sampleMember(3), sampleMember(4)],
      formerMembers: [sampleMember(1), sampleMember(2)],
    };
    const bare = etcdHost({ data: NO_DATA, unit: STOPPED, status: SILENT });
    const given = { ...hosts(host({ ...OWN, raftIndex: 4990 }), [...WITHOUT, learner('m3')]), 'etcd-4': bare };
    const answer = await etcdLearnerCaughtUp(cluster).check(gateInput(fakeProbes(given), { batch: ['etcd-3'] }));
    expect(answer).toEqual({ open: true, note: 'etcd-3 has caught up: raft index 4990 of 5000' });
  });

  test('opens for a voter: a run before made it one', async () => {
    const voter = { ...learner('m3'), isLearner: false };
    const voters = [...WITHOUT, voter];
    expect(await check({ ...OWN, isLearner: false, members: voters }, voters)).toMatchObject({ open: true });
  });

  test('waits long for one that catches up', async () => {
    expect(await check({ ...OWN, raftIndex: 4700 })).toMatchObject({
      open: false,
      reason: 'etcd-3 is catching up: raft index 4700 of 5000',
      patienceMs: 3_600_000,
    });
  });

  test.each<[string, EtcdStatus, readonly ReturnType<typeof learner>[], RegExp]>([
    ['it does not answer', SILENT, [learner('')], /etcd-3 does not answer/],
    ['the others do not list it as started', { ...OWN }, [learner('')], /is catching up/],
    ['another member answers there', { ...OWN, memberId: '3' }, [learner('m3')], /no member of this cluster/],
    ['another cluster answers there', { ...OWN, clusterId: '99' }, [learner('m3')], /no member of this cluster/],
    ['no leader answers', { ...OWN }, [], /no member/],
  ])('stays closed where %s', async (_, own, listed, reason) => {
    expect(await check(own, [...WITHOUT, ...listed])).toMatchObject({
      open: false,
      reason: expect.stringMatching(reason) as unknown,
    });
  });

  // Either would let a learner vote that etcd itself refuses, or that needs a snapshot first.
  test.each([
    ['a thousand entries behind', 100_000, 99_000, true],
    ['one more', 100_000, 98_999, false],
    ['the twentieth part behind', 1_000, 950, true],
    ['one more of few', 1_000, 949, false],
  ])('has caught up, or not: %s', async (_, leads, has, open) => {
    const members = [...WITHOUT, learner('m3')];
    // The leader is not who is asked first.
    const behind = host(healthy(1, { members, leaderId: '2', raftIndex: 10 }));
    const leader = host(healthy(2, { members, leaderId: '2', raftIndex: leads }));
    const own = { ...host({ ...OWN, leaderId: '2', raftIndex: has }), units: { 'etcd-of-3': RUNNING } };
    const probes = fakeProbes({ 'etcd-1': behind, 'etcd-2': leader, 'etcd-3': own });
    const third = { ...sampleMember(3), unit: 'etcd-of-3' };
    const cluster = { ...SAMPLE_CLUSTER, members: [sampleMember(1), sampleMember(2), third] };
    const answer = await etcdLearnerCaughtUp(cluster).check(gateInput(probes, { batch: ['etcd-3'] }));
    const figures = `raft index ${has} of ${leads}`;
    expect(answer).toMatchObject(
      open
        ? { open, note: `etcd-3 has caught up: ${figures}` }
        : { open, reason: `etcd-3 is catching up: ${figures}`, next: 'ssh etcd-3 sudo journalctl -u etcd-of-3 -n 50' },
    );
  });

  test('compares as a share where there are few entries: nothing is not nearly all', async () => {
    const young = [1, 2].map((number) =>
      host(healthy(number, { members: [...WITHOUT, learner('m3')], raftIndex: 900 })),
    );
    const probes = fakeProbes({
      'etcd-1': young[0] ?? {},
      'etcd-2': young[1] ?? {},
      'etcd-3': host({ ...OWN, raftIndex: 5 }),
    });
    const answer = await etcdLearnerCaughtUp(SAMPLE_CLUSTER).check(gateInput(probes, { batch: ['etcd-3'] }));
    expect(answer).toMatchObject({ open: false, reason: 'etcd-3 is catching up: raft index 5 of 900' });
  });
});
