import { expect, test } from '@jest/globals';
import { clusterIdIn, etcdRemains, etcdRemainsKey } from '../../../src/facts/etcd-remains.js';
import { sampleMember } from '../../support/sample-cluster.js';

/** The first records of a log of etcd 3.4.23: checksum, metadata, snapshot. */
const LOG = Buffer.from(
  [
    ...['0400000000000084', '0804100000000000', '2000000000000000', '080110bb81c7fc05'],
    ...['1a1608cdd2918bd2', 'b881cf8e0110b298', 'eaf1948386fccd01', '0e00000000000082', '08051094bbc7ed0e'],
  ].join(''),
  'hex',
);

const key = etcdRemainsKey(sampleMember(1));
const parse = (...lines: readonly string[]): unknown => etcdRemains.parse(lines.join('\n'), [key]).get(key);
const NOTHING = { databaseBytes: 0, clusterId: undefined, revision: undefined, snapshot: undefined };

test('the cluster is that of the log', () => {
  expect(clusterIdIn(LOG)).toBe(String(0xcd_f8_18_19_4e_3a_8c_32n));
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['zeroes', Buffer.alloc(512)],
  ['the first record alone', LOG.subarray(0, 16)],
  ['a length beyond its end', Buffer.from('ffffffffffff0000', 'hex')],
  ['text', Buffer.from('Welcome to this host\n'.repeat(9))],
])('a log of %s is of no cluster', (_, log) => {
  expect(clusterIdIn(log)).toBeUndefined();
});

test('a member that is stopped', () => {
  const lines = ['E', 'D 20480', 'P no', `W ${LOG.toString('base64')}`, 'S 0000000000000002-00000000000186a1'];
  expect(parse(...lines, 'R {"hash":1,"revision":41,"totalKey":7,"totalSize":20480}')).toEqual({
    ...{ hasData: true, databaseBytes: 20_480, isRunning: false, clusterId: '14841639068965178418' },
    ...{ revision: 41, snapshot: { term: 2, index: 100_001 } },
  });
});

test('one that runs, a bare host, and nonsense', () => {
  expect(parse('E', 'D 0', 'P yes')).toEqual({ ...NOTHING, hasData: true, isRunning: true });
  expect(parse('E', 'P no')).toEqual({ ...NOTHING, hasData: false, isRunning: false });
  expect(parse('E', 'D yes', 'P no', 'W !!', 'S ../../x', 'R {"revision":-1}')).toEqual({
    ...{ ...NOTHING, hasData: true, isRunning: false },
  });
});
