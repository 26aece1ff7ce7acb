import { expect, test } from '@jest/globals';
import { lookAtSpace } from '../../../src/day-two/look-at-space.js';
import { etcdDatabaseFile } from '../../../src/facts/etcd-database-file.js';
import { etcdQuota, etcdQuotaKey } from '../../../src/facts/etcd-quota.js';
import { etcdStatus, etcdStatusKey } from '../../../src/facts/etcd-status.js';
import type { Gate } from '../../../src/model/gate.js';
import { healthy as healthyAnswer, SILENT } from '../../support/etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { sampleMember } from '../../support/sample-cluster.js';

const MEMBERS = [1, 2].map((number) => ({ ...sampleMember(number), dataDir: `/data/${number}` }));
const OPEN: Gate = { name: 'g', deadlineMs: 1, check: () => Promise.resolve({ open: true }) };

/** What the host of a member tells. @param number 1 or 2 */
function answersOf(number: number, status: unknown = healthyAnswer(number)): FakeAnswers {
  const member = MEMBERS[number - 1] ?? sampleMember(number);
  return {
    [etcdStatus.name]: { [etcdStatusKey(member)]: status },
    [etcdQuota.name]: { [etcdQuotaKey(member)]: number * 1000 },
    [etcdDatabaseFile.name]: { [member.dataDir]: `inode-${number}` },
  };
}

const look = async (second: FakeAnswers) => {
  const hosts: Readonly<Record<string, FakeAnswers>> = { 'etcd-1': answersOf(1), 'etcd-2': second };
  return lookAtSpace(
    { members: MEMBERS },
    { probe: (host) => fakeProbe(hosts[host] ?? {}, hosts, host), healthy: OPEN },
  );
};

test('each member is seen with its status, the quota of its process and the file of its database', async () => {
  expect(await look(answersOf(2))).toEqual([
    { member: MEMBERS[0], status: { host: 'etcd-1', ...healthyAnswer(1) }, quota: 1000, inode: 'inode-1' },
    { member: MEMBERS[1], status: { host: 'etcd-2', ...healthyAnswer(2) }, quota: 2000, inode: 'inode-2' },
  ]);
});

test.each<[string, FakeAnswers, RegExp]>([
  ['can not be asked', UNREACHABLE, /: etcd-2 can't be asked \(etcd-2: /],
  ['does not answer', answersOf(2, SILENT), /: etcd-2 does not answer: /],
])('nothing is done about the space where one member %s', async (_, second, message) => {
  await expect(look(second)).rejects.toThrow(message);
});
