import { expect, test } from '@jest/globals';
import { wayHere } from '../../../src/commands/foreign-options.js';

test.each([
  ['-i', 'provision plan inventory.yaml'],
  ['--check', 'provision plan INVENTORY'],
  ['--diff', 'always shows its differences'],
  ['-v', '--format json'],
  ['-e', 'group_vars/'],
  ['--tags', '--playbook'],
  ['-auto-approve', '--yes'],
])('%s of another tool is answered with the way of this one', (option, way) => {
  expect(wayHere(`error: unknown option '${option}'`)).toContain(way);
  expect(wayHere(`error: unknown option '${option}=x'`)).toContain(way);
});

test.each(["error: unknown option '--yess'\n(Did you mean --yes?)", "error: missing required argument 'inventory'"])(
  'nothing is said of: %s',
  (message) => {
    expect(wayHere(message)).toBeUndefined();
  },
);
