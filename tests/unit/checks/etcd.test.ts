import { describe, expect, test } from '@jest/globals';
import { checkEtcd } from '../../../src/checks/etcd.js';
import { checkServices } from '../../../src/checks/services.js';
import { etcdHost, healthy, NOT_INSTALLED, RUNNING, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { contextOf, linesOf, UNREACHABLE } from '../../support/check-context.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import type { FakeAnswers } from '../../support/fake-probe.js';

function hosts(second: FakeAnswers | typeof UNREACHABLE): Parameters<typeof contextOf>[0] {
  return {
    'etcd-1': etcdHost({ status: healthy(1) }),
    'etcd-2': second,
    'etcd-3': etcdHost({ status: healthy(3) }),
  };
}

describe('etcd', () => {
  test('is all ok on a healthy cluster', async () => {
    expect(await linesOf(checkEtcd, contextOf(hosts(etcdHost({ status: healthy(2) }))))).toEqual([
      'ok etcd-member etcd-1: healthy leader, etcd 3.4.23, raft index 5000',
      'ok etcd-member etcd-2: healthy follower, etcd 3.4.23, raft index 5000',
      'ok etcd-member etcd-3: healthy follower, etcd 3.4.23, raft index 5000',
      'ok etcd-cluster: 3 of 3 members agree: leader etcd-1, cluster 4d',
      'ok etcd-alarms: none',
      'ok etcd-database etcd-1: 0.0 MiB of 2048 MiB (0 %)',
      'ok etcd-database etcd-2: 0.0 MiB of 2048 MiB (0 %)',
      'ok etcd-database etcd-3: 0.0 MiB of 2048 MiB (0 %)',
    ]);
  });

  test.each([
    ['a silent member', SILENT, ['fail etcd-member etcd-2: does not answer: connection refused']],
    [
      'no quorum for a proposal',
      healthy(2, { isHealthy: false }),
      ['fail etcd-member etcd-2: etcd-2 cannot commit a proposal'],
    ],
    ['a learner', healthy(2, { isLearner: true }), ['fail etcd-member etcd-2: etcd-2 is a learner']],
    ['a laggard', healthy(2, { raftIndex: 3000 }), ['fail etcd-member etcd-2: etcd-2 is 2000 raft entries behind']],
    [
      'two clusters',
      healthy(2, { clusterId: '78' }),
      ['fail etcd-cluster: members disagree on the cluster id: etcd-1 says 77, etcd-2 says 78, etcd-3 says 77'],
    ],
    [
      'an upgrade that was begun',
      healthy(2, { version: '3.5.16' }),
      ['warn etcd-version: members run different versions: 3.4.23 on etcd-1, etcd-3; 3.5.16 on etcd-2'],
    ],
    ['an alarm', healthy(2, { alarms: ['NOSPACE'] }), ['fail etcd-alarms: raised: NOSPACE']],
    ['a large database', healthy(2, { dbSize: 1.8e9 }), ['warn etcd-database etcd-2: 1717 MiB of 2048 MiB (84 %)']],
    [
      'a database at its quota',
      healthy(2, { dbSize: 2.1e9 }),
      ['fail etcd-database etcd-2: 2003 MiB of 2048 MiB (98 %)'],
    ],
  ])('finds %s', async (_, status, expected) => {
    const lines = await linesOf(checkEtcd, contextOf(hosts(etcdHost({ status }))));
    expect(lines.filter((line) => !line.startsWith('ok'))).toEqual(expected);
  });

  test('says that a member is to leave, as long as it is one', async () => {
    const cluster = {
      ...SAMPLE_CLUSTER,
      members: SAMPLE_CLUSTER.members.slice(0, 2),
      formerMembers: [sampleMember(3)],
    };
    const all = hosts(etcdHost({ status: healthy(2) }));
    const lines = await linesOf(checkEtcd, { ...contextOf(all), cluster });
    expect(lines.filter((line) => !/ok etcd-(?:database|alarms)/.test(line))).toEqual([
      'ok etcd-member etcd-1: healthy leader, etcd 3.4.23, raft index 5000',
      'ok etcd-member etcd-2: healthy follower, etcd 3.4.23, raft index 5000',
      'ok etcd-cluster: 2 of 2 members agree: leader etcd-1, cluster 4d',
      'warn etcd-member etcd-3: m3 is to leave the cluster, and is a member still',
    ]);
    const two = { members: healthy(1).members.slice(0, 2) };
    const left = { 'etcd-1': etcdHost({ status: healthy(1, two) }), 'etcd-2': etcdHost({ status: healthy(2, two) }) };
    const after = await linesOf(checkEtcd, { ...contextOf({ ...all, ...left }), cluster });
    expect(after.filter((line) => !line.startsWith('ok'))).toEqual([]);
  });

  test('goes on with the others when a host cannot be reached', async () => {
    const lines = await linesOf(checkEtcd, contextOf(hosts(UNREACHABLE)));
    expect(lines).toEqual(
      expect.arrayContaining([
        'fail host etcd-2: etcd-2: connection refused',
        expect.stringMatching(/^ok etcd-member etcd-1/),
        'ok etcd-cluster: 2 of 3 members agree: leader etcd-1, cluster 4d',
      ]),
    );
  });

  test('every item that is not ok says what to type next', async () => {
    const items = await checkEtcd(
      contextOf({ 'etcd-1': etcdHost({ status: SILENT }), 'etcd-2': UNREACHABLE, 'etcd-3': UNREACHABLE }),
    );
    const bad = items.filter(({ verdict }) => verdict !== 'ok');
    expect(bad.map(({ check, next }) => [check, next])).toEqual([
      ['host', 'try'],
      ['host', 'try'],
      ['etcd-member', 'ssh etcd-1 sudo journalctl -u etcd -n 50'],
      ['etcd-cluster', 'provision doctor etcd inventory.yaml'],
      [
        'etcd-alarms',
        "ssh etcd-1 'sudo env ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/pki/ca.crt --cert=/etc/etcd/pki/client.crt --key=/etc/etcd/pki/client.key alarm list'",
      ],
    ]);
  });
});

test.each([
  ['runs', RUNNING, 'ok service etcd-2 haproxy: running and enabled at boot'],
  ['is stopped', STOPPED, 'fail service etcd-2 haproxy: not running'],
  [
    'would not start at boot',
    { ...RUNNING, enabled: false },
    'fail service etcd-2 haproxy: running, but not enabled at boot',
  ],
  ['is not installed', NOT_INSTALLED, 'fail service etcd-2 haproxy: not-found'],
])('a service that %s', async (_, haproxy, expected) => {
  const good = { units: { etcd: RUNNING, haproxy: RUNNING, keepalived: RUNNING } };
  const second = { units: { ...good.units, haproxy } };
  const lines = await linesOf(checkServices, contextOf({ 'etcd-1': good, 'etcd-2': second, 'etcd-3': good }));
  expect(lines).toHaveLength(9);
  expect(lines).toContain(expected);
});
