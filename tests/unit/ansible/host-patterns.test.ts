import { beforeAll, describe, expect, test } from '@jest/globals';
import { selectHosts } from '../../../src/ansible/host-patterns.js';
import type { Inventory } from '../../../src/model/inventory.js';
import { PATTERN_CASES, PATTERN_INVENTORY } from '../../support/pattern-cases.js';
import { loadFiles } from '../../support/write-inventory.js';

let inventory: Inventory;
beforeAll(async () => {
  inventory = await loadFiles({ 'hosts.ini': PATTERN_INVENTORY });
});

describe('selectHosts', () => {
  test.each(PATTERN_CASES)('%s', (pattern, hosts) => {
    expect(selectHosts(inventory, pattern)).toStrictEqual(hosts);
  });

  test.each([
    ['etdc', 'did you mean etcd?'],
    ['etcd:!cp-2', 'did you mean cp-1?'],
    ['etcd[7]', "'etcd' has only 3 hosts"],
    ['~etcd(', 'not a regular expression'],
    ['nothing-like-it', 'no host and no group matches'],
  ])('%s is refused', (pattern, message) => {
    expect(() => selectHosts(inventory, pattern)).toThrow(message);
  });

  test('an address of IPv6 is one pattern, and not one at each colon', async () => {
    const addresses = await loadFiles({ 'hosts.ini': '2001:db8::1\n2001:db8::2\n' });
    expect(selectHosts(addresses, '2001:db8::1')).toStrictEqual(['2001:db8::1']);
  });

  test('what is refused is the pattern', () => {
    const problem = {
      severity: 'error',
      subject: "host pattern 'nothing-like-it'",
      message: 'no host and no group matches',
    };
    expect(() => selectHosts(inventory, 'nothing-like-it')).toThrow(expect.objectContaining({ problems: [problem] }));
  });
});
