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
