import { describe, expect, test } from '@jest/globals';
import { etcdStatus, etcdStatusKey } from '../../../src/facts/etcd-status.js';
import { fixture } from '../../support/fixture.js';
import { sampleMember } from '../../support/sample-cluster.js';

const key = etcdStatusKey(sampleMember(1));

function parse(text: string): unknown {
  return etcdStatus.parse(text, [key]).get(key);
}

describe('etcdStatus', () => {
  test('reads etcd 3.4; ids keep all their digits', () => {
    expect(parse(fixture('facts/etcd-status-3.4.txt'))).toEqual({
      kind: 'answers',
      isHealthy: true,
      version: '3.4.23',
      clusterId: '7094092780739770828',
      memberId: '2515358856023773612',
      leaderId: '11761397558467277001',
      isLearner: false,
      raftIndex: 3590,
      dbSize: 32768,
      dbSizeInUse: 16384,
      revision: 1,
      members: [
        { id: '2515358856023773612', name: 'etcd-1', peerUrls: ['https://198.51.100.11:2380'], isLearner: false },
        expect.objectContaining({ name: 'etcd-2' }),
        expect.objectContaining({ name: 'etcd-3' }),
      ],
      alarms: [],
    });
  });

  test('reads etcd 3.5', () => {
    expect(parse(fixture('facts/etcd-status-3.5.txt'))).toMatchObject({
      kind: 'answers',
      version: '3.5.16',
      memberId: '14801126432877712108',
      leaderId: '18244918612900650183',
    });
  });

  test('reads etcd 3.6, which tells more', () => {
    expect(parse(fixture('facts/etcd-status-3.6.txt'))).toEqual({
      kind: 'answers',
      isHealthy: true,
      version: '3.6.6',
      clusterId: '16509504660443962926',
      memberId: '323676404339268582',
      leaderId: '11589452085494132595',
      isLearner: false,
      raftIndex: 308,
      dbSize: 49152,
      dbSizeInUse: 40960,
      storageVersion: '3.6.0',
      revision: 301,
      members: [
        { id: '323676404339268582', name: 'etcd-2', peerUrls: ['https://203.0.113.12:2380'], isLearner: false },
        { id: '6885762516000392223', name: 'etcd-4', peerUrls: ['https://203.0.113.14:2380'], isLearner: true },
        { id: '11589452085494132595', name: 'etcd-1', peerUrls: ['https://203.0.113.11:2380'], isLearner: false },
      ],
      alarms: [],
    });
  });

  test.each([
    // Each as etcd 3.6 says it of itself, beside errors that 3.4 does not tell.
    [
      'is cut off from its peers',
      '"raftIndex":8,"errors":["etcdserver: no leader"],"dbSizeInUse":16384',
      { leaderId: '0' },
    ],
    ['is a learner', '"leader":7,"raftIndex":8,"isLearner":true', { isLearner: true, leaderId: '7' }],
    [
      'was asked to make an older format of its data',
      '"leader":7,"raftIndex":8,"storageVersion":"3.5.0","downgradeInfo":{"enabled":true,"targetVersion":"3.5.0"}',
      { storageVersion: '3.5.0' },
    ],
  ])('reads etcd 3.6 where it %s', (_, told, expected) => {
    const text = [
      'E',
      `S ok [{"Endpoint":"x","Status":{"header":{"cluster_id":1,"member_id":2},"version":"3.6.6","dbSize":20480,${told}}}]`,
      'M ok {"members":[{"ID":2,"name":"etcd-1","peerURLs":["https://a:2380"]}]}',
    ].join('\n');
    expect(parse(text)).toMatchObject({ kind: 'answers', version: '3.6.6', raftIndex: 8, ...expected });
  });

  test('reads an alarm of etcd 3.4', () => {
    expect(parse(fixture('facts/etcd-status-alarm.txt'))).toMatchObject({
      isHealthy: true,
      alarms: ['NOSPACE', 'NOSPACE'],
    });
  });

  test('tells that a member was asked in another way, and why', () => {
    const text = [
      'E',
      'S no Error: context deadline exceeded (remote error: tls: bad certificate)',
      'U no Error: context deadline exceeded (remote error: tls: bad certificate)',
      'S ok [{"Endpoint":"x","Status":{"header":{"cluster_id":1,"member_id":2,"revision":7},"version":"3.5.16","leader":3,"raftIndex":9}}]',
      'H ok healthy',
      'M ok {"members":[{"ID":2,"name":"etcd-1","peerURLs":["https://a:2380"]}]}',
      'A ok {}',
    ].join('\n');
    expect(parse(text)).toMatchObject({ kind: 'answers', usualFailure: 'remote error: tls: bad certificate' });
  });

  test('reads alarms and learners', () => {
    const text = [
      'E',
      'S ok [{"Endpoint":"x","Status":{"header":{"cluster_id":1,"member_id":2,"revision":7},"version":"3.5.16","leader":3,"raftIndex":9,"isLearner":true}}]',
      'H no unhealthy cluster',
      'M ok {"members":[{"ID":2,"name":"etcd-1","peerURLs":["https://a:2380"],"isLearner":true}]}',
      'A ok {"alarms":[{"memberID":2,"alarm":1},{"memberID":3,"alarm":2}]}',
    ].join('\n');
    expect(parse(text)).toMatchObject({ isHealthy: false, isLearner: true, alarms: ['NOSPACE', 'CORRUPT'] });
  });

  test('a learner that refuses all but its status answers', () => {
    const text = [
      'E',
      'S ok [{"Endpoint":"x","Status":{"header":{"cluster_id":1,"member_id":2},"version":"3.4.23","leader":3,"raftIndex":9,"isLearner":true}}]',
      'H no unhealthy cluster',
      'M no Error: etcdserver: rpc not supported for learner',
      'A no Error: etcdserver: rpc not supported for learner',
    ].join('\n');
    expect(parse(text)).toMatchObject({ kind: 'answers', memberId: '2', isLearner: true, raftIndex: 9, members: [] });
    expect(parse(text.replace(',"isLearner":true', ''))).toMatchObject({ kind: 'silent' });
  });

  test.each([
    ['facts/etcd-status-refused.txt', 'context deadline exceeded'],
    ['facts/etcd-status-not-installed.txt', "timeout: failed to run command 'etcdctl': No such file or directory"],
  ])('%s is silent', (name, reason) => {
    expect(parse(fixture(name))).toEqual({ kind: 'silent', reason });
  });

  test('an answer without its key is an error', () => {
    expect(() => etcdStatus.parse('', [key])).toThrow('nothing came back');
  });
});
