import { expect, test } from '@jest/globals';
import { didYouMean, isNear } from '../../../src/model/did-you-mean.js';

const KNOWN = ['etcd_lb_ip', 'etcd_lb_host', 'hosts', 'serial'];

test.each([
  ['etcd_lb_pi', '; did you mean etcd_lb_ip?'],
  ['host', '; did you mean hosts?'],
  ['Serial', '; did you mean serial?'],
  ['something_else', ''],
  ['serial', ''],
  ['', ''],
])('%s', (given, expected) => {
  expect(didYouMean(given, KNOWN)).toBe(expected);
});

test.each<[string, string, number, boolean]>([
  ['etcd_user', 'etcd_user', 0, true],
  ['etcd_user', 'etcd_usr', 1, true],
  ['etcd_usr', 'etcd_user', 1, true],
  ['etcd_user', 'etcd_us', 1, false],
  ['etcd_us', 'etcd_user', 2, true],
  ['etcd_dta_dir', 'etcd_date_dir', 1, false],
  ['', 'ab', 2, true],
  ['', 'abc', 2, false],
])('%j and %j are %i edits apart at most: %j', (a, b, most, expected) => {
  expect(isNear(a, b, most)).toBe(expected);
});
