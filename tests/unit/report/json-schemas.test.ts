import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { planToJson } from '../../../src/engine/plan-json.js';
import { jsonSchema, SCHEMA_NAMES } from '../../../src/report/json-schemas.js';
import { BARE_HOSTS } from '../../support/sample-plans.js';

/** Whether a value is what a schema describes, by what reads schemas that others wrote. */
function accepts(name: string, value: unknown): boolean {
  return z.fromJSONSchema(jsonSchema(name)).safeParse(value).success;
}

describe('the JSON Schema', () => {
  test.each(SCHEMA_NAMES)('of %s is JSON, and says which draft it is', (name) => {
    const schema = JSON.parse(JSON.stringify(jsonSchema(name))) as object;
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: expect.stringContaining('provision') as unknown,
    });
  });

  test('of a playbook takes every shipped one, and no slip', () => {
    const files = readdirSync('playbooks').filter((file) => file.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(5);
    for (const file of files)
      expect([file, accepts('playbook', parse(readFileSync(join('playbooks', file), 'utf8')))]).toEqual([file, true]);
    const play = { hosts: 'etcd', tasks: [{ name: 'x', copy: { dest: '/x', content: 'y' } }] };
    expect(accepts('playbook', [play])).toBe(true);
    for (const wrong of [
      { ...play, seriall: 1 },
      { ...play, tasks: [{ coppy: { dest: '/x' } }] },
      { ...play, tasks: [{ copy: { dest: '/x', contents: 'y' } }] },
      { ...play, tasks: [{ apt: { name: 5 } }] },
    ])
      expect(accepts('playbook', [wrong])).toBe(false);
  });

  test('of an inventory takes the shipped ones and templates, and no slip of a section or a value', () => {
    for (const file of ['small/hosts.yaml', 'dedicated-balancers/hosts.yaml'])
      expect([file, accepts('inventory', parse(readFileSync(join('inventory', file), 'utf8')))]).toEqual([file, true]);
    const withVars = (vars: object): unknown => ({ all: { vars, children: { etcd: { hosts: { a: null } } } } });
    expect(accepts('inventory', withVars({ etcd_lb_ip: '{{ vip }}', etcd_lb_port: 2379, ansible_user: 'ops' }))).toBe(
      true,
    );
    expect(accepts('inventory', withVars({ etcd_lb_port: 'x' }))).toBe(false);
    expect(accepts('inventory', { all: { host: {} } })).toBe(false);
  });

  test('of a plan takes what plan writes', () => {
    const plan = JSON.parse(JSON.stringify(planToJson(BARE_HOSTS))) as object;
    expect([accepts('plan', plan), accepts('plan', { ...plan, formatVersion: 9 })]).toEqual([true, false]);
  });

  test('of anything else is refused with the names', () => {
    expect(() => jsonSchema('plna')).toThrow('there is no schema of plna; did you mean plan?');
    expect(() => jsonSchema('constructor')).toThrow(/there is no schema of constructor/);
  });
});
