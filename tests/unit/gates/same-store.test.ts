import { expect, test } from '@jest/globals';
import { described, isSameStore } from '../../../src/gates/same-store.js';
import { healthy, SILENT } from '../../support/etcd-answers.js';

const identity = (revision: number) =>
  ({ kind: 'answers', clusterId: '77', memberId: '2', leaderId: '1', revision }) as const;

// A thousand writes, and a hundredth of the newer of the two.
test.each([
  [40, 1_050, true],
  [40, 1_051, false],
  [1_050, 40, true],
  [1_051, 40, false],
  [200_000, 198_000, true],
  [200_000, 197_000, true],
  [200_000, 196_999, false],
  [197_000, 200_000, true],
  [196_999, 200_000, false],
])('who answers at revision %i has the data of a member at %i: %s', (one, other, isSame) => {
  expect(isSameStore(identity(one), healthy(1, { revision: other, raftIndex: 7 }))).toBe(isSame);
});

test('the same data in another cluster, or of nobody that is listed, is not the same store', () => {
  expect(isSameStore(identity(40), healthy(1))).toBe(true);
  expect(isSameStore({ ...identity(40), clusterId: '78' }, healthy(1))).toBe(false);
  expect(isSameStore({ ...identity(40), memberId: '9' }, healthy(1))).toBe(false);
});

test('a member is described by its host, its cluster as etcdctl prints it, and its revision', () => {
  expect(described({ host: 'etcd-1', status: healthy(1, { clusterId: '171', revision: 41 }) })).toEqual([
    'etcd-1: cluster ab at revision 41',
  ]);
  expect(described({ host: 'etcd-1', status: SILENT })).toEqual([]);
});
