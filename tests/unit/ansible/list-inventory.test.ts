import { describe, expect, test } from '@jest/globals';
import { listAsJson } from '../../../src/ansible/list-inventory.js';
import { asPrinted, goldenOf, inventoryFixtures, loadFixture } from '../../support/inventories.js';

describe('provision inventory prints what the real ansible-inventory printed', () => {
  test.each(inventoryFixtures())('$name', async (fixture) => {
    expect(asPrinted(listAsJson(await loadFixture(fixture)))).toStrictEqual(goldenOf(fixture));
  });
});
