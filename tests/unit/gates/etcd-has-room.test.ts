import { describe, expect, test } from '@jest/globals';
import { etcdQuotaKey } from '../../../src/facts/etcd-quota.js';
import { etcdHasRoom } from '../../../src/gates/etcd-has-room.js';
import { etcdHealthyButForSpace } from '../../../src/gates/etcd-healthy.js';
import { etcdHost, healthy } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const MIB = 1024 ** 2;
const host = (status: ReturnType<typeof healthy>, quota: number | undefined): FakeAnswers => ({
  ...etcdHost({ status }),
  'etcd-quota': { [etcdQuotaKey(sampleMember(1))]: quota },
});
const input = (hosts: Record<string, FakeAnswers>) => gateInput(fakeProbes(hosts));

describe('etcd-has-room', () => {
  const gate = etcdHasRoom(SAMPLE_CLUSTER);
  const cluster = (dbSize: number, quota: number | undefined) => ({
    'etcd-1': host(healthy(1), 2048 * MIB),
    'etcd-2': host(healthy(2, { dbSize }), quota),
    'etcd-3': host(healthy(3), 2048 * MIB),
  });

  test.each([
    ['far below its quota', 100 * MIB, 2048 * MIB],
    ['below the quota that its process has, whatever the inventory says', 3000 * MIB, 4096 * MIB],
    ['below that of the inventory, where its process does not tell', 1900 * MIB, undefined],
  ])('opens where a database is %s', async (_, size, quota) => {
    expect(await gate.check(input(cluster(size, quota)))).toEqual({ open: true });
  });

  test.each([
    ['its quota', 2040 * MIB, 2048 * MIB, 'etcd-2 has 2040 MiB of 2048 MiB'],
    ['that of the inventory', 2040 * MIB, undefined, 'etcd-2 has 2040 MiB of 2048 MiB'],
    ['a small one', 31 * MIB, 32 * MIB, 'etcd-2 has 31.0 MiB of 32.0 MiB'],
  ])('does not open where a database is near %s', async (_, size, quota, reason) => {
    expect(await gate.check(input(cluster(size, quota)))).toMatchObject({
      open: false,
      reason: expect.stringContaining(reason),
      next: expect.stringContaining('etcd_quota_backend_bytes'),
    });
  });

  test('holds each member to its own quota of the inventory, where its process does not tell', async () => {
    const second = { ...sampleMember(2), quotaBackendBytes: 32 * MIB };
    const own = etcdHasRoom({ ...SAMPLE_CLUSTER, members: [sampleMember(1), second, sampleMember(3)] });
    const quota = { 'etcd-quota': { [etcdQuotaKey(second)]: undefined } };
    const hosts = {
      ...cluster(0, undefined),
      'etcd-2': { ...etcdHost({ status: healthy(2, { dbSize: 31 * MIB }) }), ...quota },
    };
    expect(await own.check(input(hosts))).toMatchObject({
      reason: expect.stringContaining('etcd-2 has 31.0 MiB of 32.0 MiB') as unknown,
    });
  });

  test('a host that is away is asked by the gates of health', async () => {
    expect(await gate.check(input({ ...cluster(MIB, MIB * 9), 'etcd-3': UNREACHABLE }))).toEqual({ open: true });
  });
});

describe('etcd-healthy-but-for-space', () => {
  const gate = etcdHealthyButForSpace(SAMPLE_CLUSTER, () => new Date('2026-12-01T12:00:00Z'));
  const cluster = (changes: Parameters<typeof healthy>[1], second: Parameters<typeof healthy>[1] = changes) => ({
    'etcd-1': host(healthy(1, changes), undefined),
    'etcd-2': host(healthy(2, second), undefined),
    'etcd-3': host(healthy(3, changes), undefined),
  });

  test.each([
    ['nothing is wrong', {}],
    ['the alarm NOSPACE is raised', { alarms: ['NOSPACE'] }],
    // As etcdctl from 3.5 on says it.
    ['it makes members unhealthy', { alarms: ['NOSPACE', 'NOSPACE'], isHealthy: false }],
  ])('opens where %s', async (_, changes) => {
    expect(await gate.check(input(cluster(changes)))).toEqual({ open: true });
  });

  test.each([
    ['another alarm', cluster({ alarms: ['NOSPACE', 'CORRUPT'] }), 'alarm CORRUPT is raised'],
    ['no leader', cluster({ alarms: ['NOSPACE'], isHealthy: false, leaderId: '0' }), 'knows no leader'],
    ['a member that is unhealthy without it', cluster({}, { isHealthy: false }), 'etcd-2 cannot commit'],
    ['one that is far behind', cluster({ alarms: ['NOSPACE'] }, { alarms: ['NOSPACE'], raftIndex: 1 }), 'behind'],
  ])('does not open for %s', async (_, hosts, reason) => {
    expect(await gate.check(input(hosts))).toMatchObject({ open: false, reason: expect.stringContaining(reason) });
  });
});
