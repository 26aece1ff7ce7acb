import { describe, expect, test } from '@jest/globals';
import { etcdCanSpareBatch, etcdHealthy, etcdHealthyButForStopped } from '../../../src/gates/etcd-healthy.js';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import type { GateAnswer } from '../../../src/model/gate.js';
import { etcdHost, healthy, NO_DATA, NOT_INSTALLED, SILENT, SOUND_PAIR, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { gateInput } from '../../support/gate-input.js';

/** The certificate of the sample pair is good on this day, and not a hundred years later. */
const TODAY = new Date('2026-12-01T12:00:00Z');
const MUCH_LATER = new Date('2226-12-01T12:00:00Z');
type EtcdListedMember = Extract<EtcdStatus, { kind: 'answers' }>['members'][number];

const GOOD = [1, 2, 3].map((number) => etcdHost({ status: healthy(number) }));

/** The three hosts, some of them otherwise. */
function hosts(changes: Readonly<Record<number, FakeAnswers>>): ReturnType<typeof fakeProbes> {
  return fakeProbes(Object.fromEntries(GOOD.map((good, index) => [`etcd-${index + 1}`, changes[index + 1] ?? good])));
}

describe('etcd-healthy-but-for-stopped', () => {
  const gate = etcdHealthyButForStopped(SAMPLE_CLUSTER, () => TODAY);
  const stopped = etcdHost({ status: SILENT, unit: STOPPED });

  test.each([
    ['one of the others is stopped', ['etcd-1']],
    ['the one of the batch is stopped', ['etcd-2']],
  ])('opens, and says so, where %s', async (_, batch) => {
    expect(await gate.check(gateInput(hosts({ 2: stopped }), { batch }))).toEqual({
      open: true,
      note: 'left out, as etcd is stopped there: etcd-2',
    });
  });

  test('names every member that is stopped', async () => {
    const members = [1, 2, 3, 4, 5].map((number) => listed(number));
    const five = { ...SAMPLE_CLUSTER, members: [1, 2, 3, 4, 5].map((number) => sampleMember(number)) };
    const all = [1, 2, 3, 4, 5].map((number): [string, FakeAnswers] => [
      `etcd-${number}`,
      number === 2 || number === 4 ? stopped : etcdHost({ status: healthy(number, { members }) }),
    ]);
    const check = etcdHealthyButForStopped(five, () => TODAY).check(gateInput(fakeProbes(Object.fromEntries(all))));
    expect(await check).toEqual({ open: true, note: 'left out, as etcd is stopped there: etcd-2, etcd-4' });
  });

  test.each([
    [
      'the others are no quorum',
      { 2: stopped, 3: stopped },
      'etcd is not started on etcd-2; etcd is not started on etcd-3',
    ],
    ['one that runs does not answer', { 2: stopped, 3: etcdHost({ status: SILENT }) }, 'etcd-3 does not answer'],
    [
      'one that runs is sick',
      { 2: stopped, 3: etcdHost({ status: healthy(3, { leaderId: '0' }) }) },
      'etcd-3 knows no leader',
    ],
  ])('does not open where %s', async (_, changes, reason) => {
    const answer = await gate.check(gateInput(hosts(changes), { batch: ['etcd-1'] }));
    expect(answer).toMatchObject({ open: false, reason: expect.stringContaining(reason) as unknown });
  });
});

describe('etcd-healthy', () => {
  const gate = etcdHealthy(SAMPLE_CLUSTER, () => TODAY);

  test('opens when everything is healthy', async () => {
    expect(await gate.check(gateInput(hosts({}), { batch: ['etcd-1'] }))).toEqual({ open: true });
  });

  test.each([
    ['a silent member', { status: SILENT }, 'etcd-2 does not answer: connection refused'],
    ['no quorum for a proposal', { status: healthy(2, { isHealthy: false }) }, 'etcd-2 cannot commit a proposal'],
    ['a learner', { status: healthy(2, { isLearner: true }) }, 'etcd-2 is a learner'],
    ['two clusters', { status: healthy(2, { clusterId: '78' }) }, 'members disagree on the cluster id'],
    ['two leaders', { status: healthy(2, { leaderId: '2' }) }, 'members disagree on the leader'],
    ['an election', { status: healthy(2, { leaderId: '0' }) }, 'etcd-2 knows no leader'],
    ['an alarm', { status: healthy(2, { alarms: ['NOSPACE'] }) }, 'alarm NOSPACE is raised'],
    ['a laggard', { status: healthy(2, { raftIndex: 3000 }) }, 'etcd-2 is 2000 raft entries behind'],
    ['a unit that is still starting', { status: healthy(2), unit: STOPPED }, 'etcd is not started on etcd-2'],
  ])('does not open for %s', async (_, given, reason) => {
    const answer = await gate.check(gateInput(hosts({ 2: etcdHost(given) }), { batch: ['etcd-1'] }));
    expect(answer).toMatchObject({ open: false, reason: expect.stringContaining(reason) as unknown });
  });

  test.each([
    [0, 'etcd lists 0 members, the inventory 3'],
    [1, 'etcd lists 1 members, the inventory 3'],
    [2, 'etcd lists 2 members, the inventory 3'],
    [3, undefined],
    [4, 'etcd lists 4 members, the inventory 3'],
    [5, 'etcd lists 5 members, the inventory 3'],
  ])('counts the members that etcd lists: %s', async (count, reason) => {
    const members = [1, 2, 3, 4, 5].slice(0, count).map((number) => listed(number));
    const all = fakeProbes(
      Object.fromEntries(
        [1, 2, 3].map((number) => [`etcd-${number}`, etcdHost({ status: healthy(number, { members }) })]),
      ),
    );
    expect(await gate.check(gateInput(all))).toMatchObject(
      reason === undefined
        ? { open: true }
        : { open: false, isFinal: true, reason: expect.stringContaining(reason) as unknown },
    );
  });

  test.each([
    ['another id', [1, 2, 4]],
    ['one more', [1, 2, 3, 4]],
    ['one less', [1, 2]],
  ])('does not open when a later member lists other members: %s', async (_, numbers) => {
    const members = numbers.map((number) => listed(number));
    const answer = await gate.check(gateInput(hosts({ 3: etcdHost({ status: healthy(3, { members }) }) })));
    const reason = expect.stringMatching(/members disagree on the list of members: .*etcd-3 says m1 \(/) as unknown;
    expect(answer).toMatchObject({ open: false, reason });
  });

  test('the order of a list, and the name that a member has not told yet, are no disagreement', async () => {
    const members = [listed(3), listed(2, { name: '' }), listed(1)];
    expect(await gate.check(gateInput(hosts({ 2: etcdHost({ status: healthy(2, { members }) }) })))).toEqual({
      open: true,
    });
  });

  test('does not open while etcd lists a learner, by its name or, before it has one, by its id', async () => {
    const members = [listed(1), listed(2, { isLearner: true }), listed(3, { isLearner: true, name: '' })];
    const answer = await gate.check(gateInput(hosts({ 1: etcdHost({ status: healthy(1, { members }) }) })));
    const reason = expect.stringContaining('m2 is listed as a learner; 3 is listed as a learner') as unknown;
    expect(answer).toMatchObject({ open: false, reason });
  });

  test.each([
    ['1000 entries behind is well', 4000, true],
    ['1001 is not', 3999, false],
  ])('%s', async (_, raftIndex, open) => {
    const answer = await gate.check(gateInput(hosts({ 3: etcdHost({ status: healthy(3, { raftIndex }) }) })));
    expect(answer.open).toBe(open);
  });

  test('names every reason, and what to do about the first that waiting does not change', async () => {
    const answer = await gate.check(
      gateInput(
        hosts({
          1: etcdHost({ status: healthy(1, { alarms: ['NOSPACE', 'CORRUPT'] }) }),
          2: etcdHost({ status: healthy(2, { isHealthy: false, alarms: ['NOSPACE'] }) }),
          3: etcdHost({ status: SILENT, unit: STOPPED }),
        }),
      ),
    );
    expect(answer).toEqual({
      open: false,
      reason: [
        'etcd is not started on etcd-3',
        'etcd-3 does not answer: connection refused',
        'etcd-2 cannot commit a proposal',
        'alarm NOSPACE is raised',
        'alarm CORRUPT is raised',
      ].join('; '),
      next: 'provision defrag INVENTORY',
      isFinal: true,
    });
  });
});

/** An entry of the member list. */
function listed(number: number, changes: Partial<EtcdListedMember> = {}): EtcdListedMember {
  const name = `m${number}`;
  return { id: `${number}`, name, peerUrls: [`https://10.0.0.${number}:2380`], isLearner: false, ...changes };
}

describe('a host that can’t be asked', () => {
  const [spare, well] = [etcdCanSpareBatch(SAMPLE_CLUSTER, () => TODAY), etcdHealthy(SAMPLE_CLUSTER, () => TODAY)];
  /** etcd-1 and etcd-2 hear this of the member on etcd-3. */
  const hearing = (status: EtcdStatus): ReturnType<typeof fakeProbes> => {
    const key = etcdStatusKey({ clientUrl: 'https://10.0.0.3:2379', client: sampleMember(1).client });
    const asker = (number: number): FakeAnswers => {
      const own = etcdHost({ status: healthy(number) });
      return { ...own, 'etcd-status': { ...own['etcd-status'], [key]: status } };
    };
    return hosts({ 1: asker(1), 2: asker(2), 3: UNREACHABLE });
  };

  test('is left out after the work while a quorum is healthy', async () => {
    const note = "etcd-3 can't be asked, and is left out";
    expect(await well.check(gateInput(hearing(SILENT), { batch: ['etcd-2'] }))).toEqual({ open: true, note });
  });

  test('keeps a member from being restarted where fewer than a quorum would serve', async () => {
    const answer = await spare.check(gateInput(hearing(SILENT), { when: 'before', batch: ['etcd-1'] }));
    const reason =
      /^1 of 3 etcd members would serve while etcd-1 restarts, fewer than a quorum of 2; etcd-3 does not answer/;
    expect(answer).toMatchObject({ open: false, isAway: true, reason: expect.stringMatching(reason) as unknown });
  });

  test('counts where the others hear its member', async () => {
    const probes = hearing(healthy(3));
    expect(await spare.check(gateInput(probes, { when: 'before', batch: ['etcd-1'] }))).toEqual({ open: true });
  });

  test('that was worked on is an error of its own', async () => {
    await expect(well.check(gateInput(hearing(SILENT), { batch: ['etcd-3'] }))).rejects.toThrow("can't connect");
  });
});

test('who is a member is reported with names, ids and URLs, and is nothing to wait for', async () => {
  const members = [listed(1), listed(2), listed(4)].map((each) => ({ ...each, id: `${Number(each.id) + 9}` }));
  const all = hosts(
    Object.fromEntries([1, 2, 3].map((number) => [number, etcdHost({ status: healthy(number, { members }) })])),
  );
  expect(await etcdHealthy(SAMPLE_CLUSTER, () => TODAY).check(gateInput(all))).toEqual({
    open: false,
    isFinal: true,
    reason:
      'etcd lists m4 (id d, https://10.0.0.4:2380), which is no host of the ' +
      'group etcd; etcd-3 is in the group etcd, and etcd does not list m3',
    next: expect.stringMatching(
      /^to have m4 leave .*\netcd_former:\n {2}hosts:\n {4}m4: [^]*etcd-3 .*make it a member: provision apply INVENTORY$/,
    ) as unknown,
  });
});

test('a list that one member shows and others do not is waited for', async () => {
  const late = etcdHost({ status: healthy(2, { members: [listed(1), listed(2)] }) });
  const answer = await etcdHealthy(SAMPLE_CLUSTER, () => TODAY).check(gateInput(hosts({ 2: late })));
  expect(answer).toMatchObject({
    open: false,
    reason: expect.stringMatching(/^members disagree on the list of members: /) as unknown,
  });
  expect(answer).not.toHaveProperty('isFinal');
});

describe('etcd-can-spare-batch', () => {
  const gate = etcdCanSpareBatch(SAMPLE_CLUSTER, () => TODAY);
  const down = etcdHost({ unit: STOPPED, status: SILENT });
  const bare = etcdHost({ data: NO_DATA, unit: NOT_INSTALLED, status: SILENT });
  const shut = (host: string): GateAnswer => ({
    open: false,
    reason: `${host} does not answer: connection refused`,
    next: `ssh ${host} sudo journalctl -u etcd -n 50`,
  });

  test.each([
    ['all are well', {}, ['etcd-1'], { open: true }],
    ['the batch itself is down', { 2: down }, ['etcd-2'], { open: true }],
    ['another one is down', { 2: down }, ['etcd-1'], shut('etcd-2')],
    ['the batch runs, but does not answer', { 2: etcdHost({ status: SILENT }) }, ['etcd-2'], shut('etcd-2')],
    [
      'nothing is there',
      { 1: bare, 2: bare, 3: bare },
      ['etcd-1', 'etcd-2', 'etcd-3'],
      { open: true, note: 'there is no etcd cluster yet' },
    ],
    [
      'no quorum runs',
      { 1: down, 2: down },
      ['etcd-1', 'etcd-2', 'etcd-3'],
      { open: true, note: 'fewer than a quorum of the etcd members run: there is nothing left to protect' },
    ],
  ])('%s', async (_, changes, batch, answer) => {
    expect(await gate.check(gateInput(hosts(changes), { batch: batch }))).toMatchObject(answer);
  });
});

describe('members that their own certificates keep from serving', () => {
  const lost = { ...SOUND_PAIR, key: undefined };
  const mute = etcdHost({ status: SILENT, server: lost });
  const leaderless = (number: number, peer = SOUND_PAIR): FakeAnswers =>
    etcdHost({ status: healthy(number, { leaderId: '0', isHealthy: false }), peer });
  const spare = etcdCanSpareBatch(SAMPLE_CLUSTER, () => TODAY);
  const healthyGate = etcdHealthy(SAMPLE_CLUSTER, () => TODAY);

  test('are renewed, whichever batch they are in, and it is said why they are not waited for', async () => {
    const note = 'etcd-2 has no /etc/etcd/pki/server.key';
    for (const batch of ['etcd-1', 'etcd-2'])
      expect(await spare.check(gateInput(hosts({ 2: mute }), { batch: [batch] }))).toEqual({ open: true, note });
    const after = gateInput(hosts({ 2: mute }), { batch: ['etcd-1'], when: 'after' });
    expect(await healthyGate.check(after)).toEqual({ open: true, note });
  });

  test('must serve once they are renewed', async () => {
    const after = gateInput(hosts({ 2: mute }), { batch: ['etcd-2'], when: 'after' });
    expect(await healthyGate.check(after)).toMatchObject({
      open: false,
      reason: expect.stringContaining('does not answer'),
    });
  });

  test.each([
    ['certificates are good', SOUND_PAIR, TODAY, false],
    ['keys of peers are lost', lost, TODAY, true],
    ['peer certificates have expired', SOUND_PAIR, MUCH_LATER, true],
  ])('without a leader, where %s', async (_, peer, now, open) => {
    const gate = etcdCanSpareBatch(SAMPLE_CLUSTER, () => now);
    const all = hosts({ 1: leaderless(1), 2: leaderless(2, peer), 3: leaderless(3, peer) });
    expect(await gate.check(gateInput(all, { batch: ['etcd-1'] }))).toMatchObject({ open });
  });

  test('hide no alarm, and nothing of a member whose certificates are good', async () => {
    const alarm = hosts({ 2: mute, 3: etcdHost({ status: healthy(3, { alarms: ['CORRUPT'] }) }) });
    expect(await spare.check(gateInput(alarm, { batch: ['etcd-1'] }))).toMatchObject({ open: false });
    const other = hosts({ 2: mute, 3: etcdHost({ status: SILENT }) });
    expect(await spare.check(gateInput(other, { batch: ['etcd-2'] }))).toMatchObject({
      open: false,
      reason: 'etcd-3 does not answer: connection refused',
    });
  });

  test('a member that answers in another way only is well before its batch, and not after', async () => {
    const other = hosts({ 1: etcdHost({ status: healthy(1, { usualFailure: 'certificate has expired' }) }) });
    expect(await spare.check(gateInput(other, { batch: ['etcd-1'] }))).toEqual({
      open: true,
      note: 'etcd-1 answers, but not as usual: certificate has expired',
    });
    expect(await healthyGate.check(gateInput(other, { batch: ['etcd-1'], when: 'after' }))).toMatchObject({
      open: false,
      reason: 'etcd-1 does not answer to its own client certificate: certificate has expired',
    });
  });
});
