import { jest, expect, test } from '@jest/globals';
import { Alias } from 'yaml';
import { hostOf, loadFiles } from '../../support/write-inventory.js';

test('twenty thousand aliases cost one walk through their file, not one each', async () => {
  const resolve = jest.spyOn(Alias.prototype, 'resolve');
  const uses = Array.from({ length: 20_000 }, (_, index) => `        v${index}: *x\n`).join('');
  const inventory = await loadFiles({
    'hosts.yml': `all:\n  vars:\n    x: &x [1, 2]\n    y: &y { a: *x }\n  hosts:\n    a:\n${uses}        last: *y\n`,
  });
  const { variables } = hostOf(inventory, 'a');
  expect(variables.get('v19999')).toEqual([1, 2]);
  expect(variables.get('last')).toEqual({ a: [1, 2] });
  expect(resolve).not.toHaveBeenCalled();
  resolve.mockRestore();
});

test('an alias stands for the last node before it that has its anchor', async () => {
  const inventory = await loadFiles({
    'hosts.yml': 'all:\n  vars:\n    a: &x 1\n    b: *x\n    c: &x 2\n    d: *x\n  hosts:\n    h:\n',
  });
  const { variables } = hostOf(inventory, 'h');
  expect([variables.get('b'), variables.get('d')]).toEqual([1, 2]);
});

test.each([
  ['an alias without an anchor', 'a: *x\n    b: &x 1', 'there is no anchor of that name above'],
  ['an alias that holds itself', 'a: &x [*x]', 'holds itself'],
  ['a mapping that is merged into itself', 'a: &x { <<: *x }', 'holds itself'],
  ['one that is merged into itself by another', 'a: &x { <<: { b: 1, <<: [{ c: 1 }, *x] } }', 'holds itself'],
  ['a list of merged mappings that holds itself', 'a: { <<: &x [{ b: 1 }, *x] }', 'holds itself'],
])('%s is refused', async (_, lines, message) => {
  const loading = loadFiles({ 'hosts.yml': `all:\n  vars:\n    ${lines}\n  hosts:\n    h:\n` }).then((inventory) =>
    hostOf(inventory, 'h').variables.get('a'),
  );
  await expect(loading).rejects.toThrow(message);
});
