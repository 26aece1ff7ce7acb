import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { VARIABLES, type VariableName } from '../../../src/cluster/known-variables.js';
import { createVariableReader } from '../../../src/cluster/variable-reader.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { hostOf, loadFiles } from '../../support/write-inventory.js';

/** What inventories have in place of a truth value, a word, a number or an address; YAML. */
const VALUES = [
  ...['null', "''", 'false', 'true', '0', '1', '0.0', '1.0', '"0"', '"1"'],
  ...['"no"', '"No"', '"off"', '"OFF"', '"false"', '"False"', '"yes"', '"on"', '"true"', '"TRUE"'],
  ...['own', 'external', 'package', 'release', 'none', '192.0.2.9', '9100'],
];

/** The conditions of the shipped playbooks, and the variables of this program that each reads; those that it derives are read by itself. */
let conditions: readonly { readonly text: string; readonly variables: readonly VariableName[] }[] = [];

beforeAll(async () => {
  const names = (await readdir('playbooks')).filter((name) => name.endsWith('.yaml'));
  const plays = (await Promise.all(names.map(async (name) => readPlaybook(`playbooks/${name}`)))).flatMap(
    (each) => each.plays,
  );
  const texts = plays.flatMap(({ play }) => [play, ...(play.roles ?? []), ...(play.tasks ?? [])].flatMap(whensOf));
  conditions = [...new Set(texts)].map((text) => ({
    text,
    variables: (Object.keys(VARIABLES) as VariableName[]).filter((name) => new RegExp(`\\b${name}\\b`).test(text)),
  }));
});

function whensOf(of: unknown): readonly string[] {
  if (typeof of !== 'object' || of === null || !('when' in of)) return [];
  return [of.when].flat().filter((each) => typeof each === 'string');
}

/** What a condition comes to where a variable has a value, and how the program reads it; `refused`: not at all. */
async function seen(text: string, name: VariableName, value: string | undefined) {
  const vars = value === undefined ? '{}' : `{ ${name}: ${value} }`;
  const inventory = await loadFiles({ 'hosts.yaml': `all: { vars: ${vars} }\netcd: { hosts: { a: } }\n` });
  const reader = createVariableReader();
  const read: unknown = reader.read(hostOf(inventory, 'a'), name);
  return { holds: inventory.test('a', text), read: reader.problems().length > 0 ? 'refused' : read };
}

/** A YAML value that is just what the program has read. */
async function asRead(text: string, name: VariableName, value: string) {
  const { holds, read } = await seen(text, name, value);
  if (read === 'refused') return { holds, same: holds };
  const canonical = read === undefined ? undefined : JSON.stringify(read);
  return { holds, same: (await seen(text, name, canonical)).holds };
}

describe('what a condition of a shipped playbook reads of a variable is what the program reads of it', () => {
  test.each(VALUES)('%s', async (value) => {
    for (const { text, variables } of conditions)
      for (const name of variables) {
        const { holds, same } = await asRead(text, name, value);
        expect([text, name, value, holds]).toEqual([text, name, value, same]);
      }
  });

  test('and where it is not set, its default', async () => {
    const decided = conditions.filter(({ text }) => !/^(\w+) is defined and \1 is not none$/.test(text));
    for (const { text, variables } of decided)
      for (const name of variables) {
        const { fallback } = VARIABLES[name] as { readonly fallback?: unknown };
        const [unset, set] = await Promise.all([
          seen(text, name, undefined),
          seen(text, name, JSON.stringify(fallback)),
        ]);
        expect([text, name, unset.holds]).toEqual([text, name, set.holds]);
      }
  });
});

test('the conditions of all playbooks are looked at, and a planted one that reads a value in its own way is noticed', async () => {
  const names = new Set(conditions.flatMap(({ variables }) => variables));
  expect([...names].toSorted()).toEqual([
    ...['etcd_firewall', 'etcd_host_metrics_port', 'etcd_install', 'etcd_lb_provider'],
    ...['kube_apiserver_repoint', 'node_upgrade'],
  ]);
  const noticed = async (text: string, name: VariableName): Promise<readonly string[]> => {
    const all = await Promise.all(VALUES.map(async (value) => ({ value, ...(await asRead(text, name, value)) })));
    return all.filter(({ holds, same }) => holds !== same).map(({ value }) => value);
  };
  expect(await noticed('etcd_install is defined', 'etcd_install')).toEqual(['null']);
  expect(
    await noticed(
      "(kube_apiserver_repoint | default(true) | string | lower) in ['true', 'yes', 'on', '1']",
      'kube_apiserver_repoint',
    ),
  ).toContain('null');
  expect(await noticed('kube_apiserver_repoint | default(true)', 'kube_apiserver_repoint')).toEqual(
    expect.arrayContaining(['null', '"no"', '"off"', '"false"']),
  );
});
