import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { roleTable } from '../../../src/roles/table.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';

interface Play {
  readonly roles?: readonly (string | { readonly role: string })[];
}

const PLAYBOOKS = readdirSync('playbooks').filter((name) => name.endsWith('.yaml'));

test.each(PLAYBOOKS)('every role that %s names is there', (playbook) => {
  const plays = parse(readFileSync(`playbooks/${playbook}`, 'utf8')) as readonly Play[];
  const names = plays.flatMap(({ roles = [] }) => roles.map((each) => (typeof each === 'string' ? each : each.role)));
  const known = roleTable(ROLE_TOOLS);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

test('each role is called by the name that it has in the table', () => {
  for (const [name, role] of roleTable(ROLE_TOOLS)) expect(role.name).toBe(name);
});
