import { describe, expect, test } from '@jest/globals';
import { counted } from '../../../src/model/counted.js';
import { briefReason, duration, gateOpened, nameHosts } from '../../../src/report/wording.js';

test.each([
  [0, '0.0 s'],
  [840, '0.8 s'],
  [9949, '9.9 s'],
  [9950, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 min 00 s'],
  [125_000, '2 min 05 s'],
])('%i ms are %s', (ms, expected) => {
  expect(duration(ms)).toBe(expected);
});

test.each([
  [1, '1 batch'],
  [2, '2 batches'],
])('%i is counted', (count, expected) => {
  expect(counted(count, 'batch', 'batches')).toBe(expected);
});

describe('nameHosts', () => {
  test.each([
    [['a'], 'a'],
    [['etcd-1', 'etcd-2', 'etcd-3'], 'etcd-1, etcd-2, etcd-3'],
    [['n1', 'n2', 'n3', 'n4'], 'n1 … n4 (4 hosts)'],
    [['n08', 'n09', 'n10', 'n11', 'lb'], 'n08 … n11, lb (5 hosts)'],
    [['n8', 'n9', 'n10', 'n11.x'], 'n8, n9, n10, n11.x'],
    [['n1', 'n2', 'n4', 'n5'], 'n1, n2, n4, n5'],
    [['1.a', '2.a', '3.a', '4.a'], '1.a … 4.a (4 hosts)'],
    [['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'], '10.0.0.1 … 10.0.0.4 (4 hosts)'],
  ])('%j', (hosts, expected) => {
    expect(nameHosts(hosts)).toBe(expected);
  });
});

test.each([
  [0, undefined, 'open'],
  [3100, undefined, 'open after 3.1 s'],
  [3100, 'leader etcd-2', 'open after 3.1 s (leader etcd-2)'],
])('a gate that opened after %i ms', (waitedMs, note, expected) => {
  expect(gateOpened(waitedMs, note)).toBe(expected);
});

test('a brief reason does not repeat what precedes it', () => {
  expect(briefReason('etcd-1: restart etcd: status 1\nmore', 'etcd-1', 'restart etcd')).toBe('status 1');
  expect(briefReason('no route to host', 'etcd-1', 'restart etcd')).toBe('no route to host');
});
