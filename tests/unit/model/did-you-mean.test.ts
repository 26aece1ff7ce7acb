import { expect, test } from '@jest/globals';
import { didYouMean } from '../../../src/model/did-you-mean.js';

const KNOWN = ['etcd_lb_ip', 'etcd_lb_host', 'hosts', 'serial'];

test.each([
  ['etcd_lb_pi', '; did you mean etcd_lb_ip?'],
  ['host', '; did you mean hosts?'],
  ['Serial', '; did you mean serial?'],
  ['something_else', ''],
  ['', ''],
])('%s', (given, expected) => {
  expect(didYouMean(given, KNOWN)).toBe(expected);
});
