import { expect, test } from '@jest/globals';
import { resolvePlainScalar, toInteger } from '../../../src/ansible/pyyaml-scalar.js';
import { parsePythonLiteral } from '../../../src/ansible/python-literal.js';
import { yamlText } from '../../../src/adopt/yaml-text.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { pythonJson } from '../../../src/ansible/python-data.js';
import { listAsJson } from '../../../src/ansible/list-inventory.js';
import { hostOf, writeFiles } from '../../support/write-inventory.js';

const LONG = '12345678901234567890';

test.each([
  ['YAML', { hosts: '[etcd]\na\n', 'host_vars/a.yml': `ansible_become: true\nansible_become_password: ${LONG}\n` }],
  [
    'JSON',
    { hosts: '[etcd]\na\n', 'host_vars/a.json': `{"ansible_become": true, "ansible_become_password": ${LONG}}` },
  ],
  ['INI', { hosts: `[etcd]\na ansible_become=true ansible_become_password=${LONG}\n` }],
])('a password that is a long number in %s keeps its digits', async (_, files: Record<string, string>) => {
  const inventory = await loadInventory(`${writeFiles(files)}/hosts`);
  expect(hostOf(inventory, 'a').connection.become?.password?.reveal()).toBe(LONG);
  expect(inventory.render('a', 'p={{ ansible_become_password }}').reveal()).toBe(`p=${LONG}`);
  expect(pythonJson(listAsJson(inventory))).toContain(`: ${LONG}`);
});

test.each([
  ['0x1fffffffffffffffff', 0x1fffffffffffffffffn],
  ['-9007199254740993', -9007199254740993n],
  ['9_007_199_254_740_993', 9007199254740993n],
  ['0400000000000000001', 0o400000000000000001n],
  ['9007199254740991', 9007199254740991],
])('%s is %s, in YAML and as a literal', (text, value) => {
  expect(resolvePlainScalar(text)).toBe(value);
  const isOctal = /^0\d/.test(text);
  expect(parsePythonLiteral(text)).toEqual(isOctal ? undefined : { value });
});

test.each([
  ['-1.5', -1.5],
  ['+1.5', 1.5],
  ['-.inf', -Infinity],
  ['.inf', Infinity],
  ['1:30', 90],
  ['-1:30', -90],
  ['190:20:30', 685_230],
  ['1:30.5', 90.5],
  ['-0b11', -3],
  ['-0x1f', -31],
  ['017', 15],
  ['-017', -15],
  ['+12', 12],
  ['0', 0],
  ['0o7', '0o7'],
  ['08', '08'],
])('%s is %s to PyYAML', (text, value) => {
  expect(resolvePlainScalar(text)).toBe(value);
});

test.each([
  ['-9999999999999:30:00', -35_999_999_999_998_200],
  ['x', Number.NaN],
])('the integer %s is %s', (text, value) => {
  expect(toInteger(text)).toBe(value);
});

test('a text of digits that adopt writes stays a text', () => {
  expect(yamlText(LONG)).toBe(`"${LONG}"`);
});
