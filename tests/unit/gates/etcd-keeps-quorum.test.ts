import { expect, test } from '@jest/globals';
import { etcdKeepsQuorum } from '../../../src/gates/etcd-keeps-quorum.js';
import { hostRebooted } from '../../../src/gates/host-rebooted.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Probe } from '../../../src/model/remote.js';
import { etcdHost, healthy, SILENT, SOUND_PAIR, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const TODAY = new Date('2026-12-01T12:00:00Z');

const LOST = { ...SOUND_PAIR, key: undefined };
const DEAD = etcdHost({ status: SILENT, unit: STOPPED });

/** So many members, as etcd lists them, too; some of them otherwise. */
function members(count: number, changes: Readonly<Record<number, FakeAnswers>> = {}): ReturnType<typeof fakeProbes> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const listed = numbers.map((each) => ({
    ...{ id: `${each}`, name: `m${each}`, isLearner: false },
    peerUrls: [`https://10.0.0.${each}:2380`],
  }));
  const hosts = numbers.map((number) => [
    `etcd-${number}`,
    changes[number] ?? etcdHost({ status: healthy(number, { members: listed }) }),
  ]);
  return fakeProbes(Object.fromEntries(hosts) as Parameters<typeof fakeProbes>[0]);
}

/** What the gate says of so many members. */
async function asked(count: number, batch: readonly string[], changes: Readonly<Record<number, FakeAnswers>> = {}) {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const cluster = { ...SAMPLE_CLUSTER, members: numbers.map((number) => sampleMember(number)) };
  const input = gateInput(members(count, changes), { when: 'before', batch });
  return etcdKeepsQuorum(cluster, () => TODAY).check(input);
}

test.each([
  [1, ['etcd-1'], 'etcd-1 is one of 1 etcd members: while it is away, 0 would be left, fewer than a quorum of 1'],
  [2, ['etcd-2'], 'etcd-2 is one of 2 etcd members: while it is away, 1 would be left, fewer than a quorum of 2'],
  [3, ['etcd-3'], undefined],
  [3, ['etcd-2', 'etcd-3'], 'etcd-2, etcd-3 is one of 3'],
  [4, ['etcd-4'], undefined],
  [4, ['etcd-3', 'etcd-4'], '2 would be left, fewer than a quorum of 3'],
  [5, ['etcd-4', 'etcd-5'], undefined],
  [5, ['etcd-3', 'etcd-4', 'etcd-5'], '2 would be left, fewer than a quorum of 3'],
  [1, ['worker-1'], undefined],
])('of %d members, %j may be away for minutes unless: %j', async (count, batch, reason) => {
  const answer = await asked(count, batch);
  if (reason === undefined) expect(answer).toMatchObject({ open: true });
  else expect(answer).toMatchObject({ open: false, isFinal: true, reason: expect.stringContaining(reason) as unknown });
});

test('every fault of another member, which its certificates excuse otherwise, is named', async () => {
  const sick = etcdHost({ status: healthy(2, { isHealthy: false, leaderId: '0' }), server: LOST });
  expect(await asked(3, ['etcd-3'], { 2: sick })).toMatchObject({
    open: false,
    reason: expect.stringContaining('etcd-2 cannot commit a proposal, etcd-2 knows no leader') as unknown,
  });
});

const NO_KEY = etcdHost({ status: SILENT, server: LOST });

test.each<readonly [string, number, string, Readonly<Record<number, FakeAnswers>>, string | undefined]>([
  [
    'the certificate of another is lost',
    ...([3, 'etcd-3', { 2: NO_KEY }] as const),
    'while etcd-3 is away, 1 of 3 etcd members would serve, fewer than a quorum of 2: etcd-2 does not answer',
  ],
  [
    'the certificates of two of five are lost',
    5,
    'etcd-5',
    { 2: NO_KEY, 3: NO_KEY },
    '2 of 5 etcd members would serve',
  ],
  ['the certificate of one of five is lost', 5, 'etcd-5', { 2: NO_KEY }, undefined],
  [
    'the certificate of another of four is lost',
    ...([4, 'etcd-4', { 2: NO_KEY }] as const),
    'while etcd-4 is away, 2 of 4 etcd members would serve, fewer than a quorum of 3',
  ],
  ['its own certificate is lost', 3, 'etcd-3', { 3: NO_KEY }, undefined],
  ['no quorum runs, and it does', 3, 'etcd-3', { 1: DEAD, 2: DEAD }, '0 of 3 etcd members would serve'],
  ['no quorum runs, nor does it', 3, 'etcd-3', { 2: DEAD, 3: DEAD }, undefined],
  ['it is stopped, and the others serve', 3, 'etcd-3', { 3: DEAD }, undefined],
])('what excuses a member does not make it serve: %s', async (_, count, host, changes, reason) => {
  const answer = await asked(count, [host], changes);
  if (reason === undefined) expect(answer).toMatchObject({ open: true });
  else expect(answer).toMatchObject({ open: false, reason: expect.stringContaining(reason) as unknown });
});

test('a member that is to leave counts until it has', async () => {
  const [stays, leaves] = [SAMPLE_CLUSTER.members.slice(0, 1), SAMPLE_CLUSTER.members.slice(1, 2)];
  const cluster = { ...SAMPLE_CLUSTER, members: stays, formerMembers: leaves };
  const answer = await etcdKeepsQuorum(cluster, () => TODAY).check(
    gateInput(members(2), { when: 'before', batch: ['etcd-2'] }),
  );
  expect(answer).toMatchObject({ open: false, reason: expect.stringContaining('etcd-2 is one of 2') as unknown });
});

test('the members outside the batch must be healthy', async () => {
  const hosts = fakeProbes({
    'etcd-1': etcdHost({ status: healthy(1) }),
    'etcd-2': etcdHost({ status: SILENT }),
    'etcd-3': etcdHost({ status: healthy(3) }),
  });
  const answer = await etcdKeepsQuorum(SAMPLE_CLUSTER, () => TODAY).check(gateInput(hosts, { batch: ['etcd-3'] }));
  expect(answer).toMatchObject({ open: false, reason: expect.stringContaining('etcd-2 does not answer') as unknown });
});

test('a host has rebooted once it has another boot id; that it is away, or lets nobody in yet, is waited for', async () => {
  const before = '11111111-1111-4111-8111-111111111111';
  const ask = async (answers: FakeAnswers): Promise<unknown> =>
    hostRebooted().check(
      gateInput(fakeProbes({ 'worker-1': answers }), { when: 'action', batch: ['worker-1'], arguments: { before } }),
    );
  expect(await ask({ 'boot-id': { boot: before } })).toMatchObject({
    open: false,
    reason: 'worker-1 has not gone down yet',
  });
  const away = (await ask(UNREACHABLE)) as object;
  expect(away).toMatchObject({ open: false, reason: 'worker-1 is booting' });
  expect(away).not.toHaveProperty('isAway');
  expect(await ask({ 'boot-id': { boot: '2' } })).toEqual({ open: true });
  const login = new RemoteError({ code: 'command-failed', host: 'worker-1', message: 'System is booting up' });
  const probe: Probe = { host: 'worker-1', ask: () => Promise.reject(login), on: () => probe };
  const input = gateInput(new Map([['worker-1', probe]]), { batch: ['worker-1'], arguments: { before } });
  expect(await hostRebooted().check(input)).toMatchObject({ open: false });
  await expect(ask({ other: {} })).rejects.toThrow('no answer');
});
