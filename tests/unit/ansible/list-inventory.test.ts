import { describe, expect, test } from '@jest/globals';
import { listAsJson, listAsTree } from '../../../src/ansible/list-inventory.js';
import { asPrinted, goldenOf, inventoryFixtures, loadFixture } from '../../support/inventories.js';
import { loadFiles } from '../../support/write-inventory.js';

describe('provision inventory prints what the real ansible-inventory printed', () => {
  test.each(inventoryFixtures())('$name', async (fixture) => {
    expect(asPrinted(listAsJson(await loadFixture(fixture)))).toStrictEqual(goldenOf(fixture));
  });
});

test('as a tree, groups stand within groups, and a host has its variables where it is first', async () => {
  const inventory = await loadFiles({
    'hosts.yml':
      'all: { hosts: { c: { x: 3 } }, children: { o: { children: { i: { hosts: { a: { x: 1 }, b: {} } } } }, z: { hosts: { a: } } } }\n',
  });
  const tree = (hosts: Readonly<Record<string, object>>): object => ({
    all: {
      children: { ungrouped: { hosts: { c: { x: 3 } } }, o: { children: { i: { hosts } } }, z: { hosts: { a: {} } } },
    },
  });
  expect(listAsTree(inventory)).toEqual(tree({ a: { x: 1 }, b: {} }));
  expect(listAsTree(inventory, ['a', 'c'])).toEqual(tree({ a: { x: 1 } }));
});
