import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { hostOf, loadFiles, writeFiles } from '../../support/write-inventory.js';

describe('loadInventory', () => {
  test('names groups, hosts and places', async () => {
    const directory = writeFiles({
      'hosts.yml':
        'all:\n  children:\n    etcd:\n      hosts:\n        a: { x: { y: [1, 2] } }\n  hosts:\n    lonely:\n',
      'group_vars/etcd.yml': '# comment\nfrom_file: 1\n',
    });
    const inventory = await loadInventory('hosts.yml', { workingDirectory: directory });
    expect([...inventory.hosts.keys()]).toEqual(['a', 'lonely']);
    expect(Object.fromEntries(inventory.groups)).toEqual({ all: ['lonely', 'a'], ungrouped: ['lonely'], etcd: ['a'] });
    expect(hostOf(inventory, 'a').groups).toEqual(['etcd']);
    expect(hostOf(inventory, 'lonely').groups).toEqual([]);
    expect(inventory.directory).toBe(directory);
    const { variables } = hostOf(inventory, 'a');
    expect(variables.at('from_file')).toEqual({ file: 'group_vars/etcd.yml', line: 2, column: 1 });
    expect(variables.at('x', ['y', 1])).toEqual({ file: 'hosts.yml', line: 5, column: 26 });
    expect(variables.at('x', ['nothing', 'there'])).toEqual({ file: 'hosts.yml', line: 5, column: 14 });
  });

  test('the digest covers every loaded file, and nothing else', async () => {
    const directory = writeFiles({
      hosts: '[etcd]\na\n',
      'group_vars/all.yml': 'x: 1\n',
      'host_vars/a': 'y: 1\n',
      'host_vars/other': 'z: 1\n',
    });
    const digest = async (): Promise<string> => (await loadInventory(join(directory, 'hosts'))).digest;
    const before = await digest();
    expect(await digest()).toBe(before);
    writeFileSync(join(directory, 'host_vars/other'), 'z: 2\n');
    expect(await digest()).toBe(before);
    const seen = new Set([before]);
    for (const [file, text] of [
      ['hosts', '[etcd]\na # \n'],
      ['group_vars/all.yml', 'x: 2\n'],
      ['host_vars/a', 'y: 2\n'],
    ] as const) {
      writeFileSync(join(directory, file), text);
      seen.add(await digest());
    }
    expect(seen.size).toBe(4);
  });

  test('the format is found by trying, whatever the name says', async () => {
    expect([...(await loadFiles({ 'hosts.yml': '[etcd]\na x=1\n' })).hosts.keys()]).toEqual(['a']);
    expect([...(await loadFiles({ hosts: 'etcd:\n  hosts:\n    b:\n' })).hosts.keys()]).toEqual(['b']);
    expect([...(await loadFiles({ hosts: 'c\nd\n' })).hosts.keys()]).toEqual(['c', 'd']);
  });

  test('a broken YAML file is reported as YAML', async () => {
    await expect(loadFiles({ hosts: 'all:\n  hosts: [\n' })).rejects.toThrow('YAML syntax');
  });

  test.each(['{"etcd"\n', '[a, b\n'])('%j, which begins as YAML does, is reported as YAML', async (text) => {
    await expect(loadFiles({ hosts: text })).rejects.toThrow('YAML syntax');
  });

  test('a wrong range in INI is shown alone, and not its line', async () => {
    const at: unknown = expect.objectContaining({ line: 2, column: 1 });
    const problem: unknown = expect.objectContaining({ severity: 'error', subject: 'x[1:', at });
    await expect(loadFiles({ 'hosts.ini': '[etcd]\nx[1: password=planted\n' })).rejects.toMatchObject({
      problems: [problem],
    });
  });

  test.each([
    ['a: x=1', "'a:' is not a host name"],
    ['"" x=1', "'' is not a host name"],
    ['--- x=1', "'---' is not a host name; is this a YAML file?"],
  ])('%s is no host in INI', async (line, message) => {
    await expect(loadFiles({ 'hosts.ini': `[etcd]\n${line}\n` })).rejects.toThrow(message);
    expect([...(await loadFiles({ 'hosts.ini': '[etcd]\na:22 x=1\n' })).hosts.keys()]).toEqual(['a']);
  });

  test('the files of a directory are one inventory', async () => {
    const directory = writeFiles({ 'i/1': 'a\n', 'i/2': 'b\n', 'i/3.yml': 'all: { hosts: { c: {} } }\n' });
    expect([...(await loadInventory(join(directory, 'i'))).hosts.keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  test('what is provided is a variable, and is proposed', async () => {
    const provided = { names: ['made_for_all'], get: (_: unknown, host: string, name: string) => `${name} of ${host}` };
    const inventory = await loadFiles({ 'hosts.ini': 'a\n' }, { provided });
    expect(hostOf(inventory, 'a').variables.get('made_for_all')).toBe('made_for_all of a');
    const none = { names: ['made_for_all'], get: () => undefined };
    const without = await loadFiles({ 'hosts.ini': 'a\n' }, { provided: none });
    expect(() => without.render('a', '{{ made_for_al }}')).toThrow('did you mean made_for_all?');
  });

  test.each([
    ['inventory_hostname', 'a.example.com'],
    ['inventory_hostname_short', 'a'],
    ['group_names', ['b', 'z']],
    ['groups', { all: ['a.example.com'], ungrouped: [], z: ['a.example.com'], b: ['a.example.com'] }],
    ['hostvars', { 'a.example.com': {} }],
    ['inventory_dir', 'PLACE/i'],
    ['inventory_file', 'PLACE/i/hosts.ini'],
  ])('%s is there, and is proposed', async (name, value) => {
    const directory = writeFiles({ 'i/hosts.ini': '[z]\na.example.com\n[b]\na.example.com\n' });
    const inventory = await loadInventory(join(directory, 'i/hosts.ini'));
    expect(hostOf(inventory, 'a.example.com').variables.get(name)).toEqual(
      typeof value === 'string' ? value.replace('PLACE', directory) : value,
    );
    expect(() => inventory.render('a.example.com', `{{ ${name}x }}`)).toThrow(`did you mean ${name}?`);
  });

  // The real Ansible says the same: fixtures/inventories/precedence, priorities.
  test.each([
    ['a deeper group is stronger', 'z: { children: { a: { hosts: { h: {} }, vars: { x: a } } }, vars: { x: z } }', 'a'],
    [
      'of two that are as deep, the later name is, whatever is below the other one',
      'a: { hosts: { h: {} }, children: { aa: {} }, vars: { x: a } }, b: { hosts: { h: {} }, vars: { x: b } }',
      'b',
    ],
    [
      'a priority of 1 is what groups have',
      'a: { hosts: { h: {} }, vars: { x: a } }, b: { hosts: { h: {} }, vars: { x: b, ansible_group_priority: 1 } }',
      'b',
    ],
    [
      'a higher priority goes before the name',
      'a: { hosts: { h: {} }, vars: { x: a, ansible_group_priority: 2 } }, b: { hosts: { h: {} }, vars: { x: b } }',
      'a',
    ],
  ])('%s', async (_, groups, value) => {
    const inventory = await loadFiles({ 'hosts.yml': `all: { children: { ${groups} } }\n` });
    expect(hostOf(inventory, 'h').variables.get('x')).toBe(value);
  });

  test('a host has variables as a mapping, or nothing', async () => {
    const inventory = await loadFiles({ 'hosts.yml': 'all: { hosts: { a: [], b: 0, c: , d: { x: 1 } } }\n' });
    expect([...inventory.hosts.keys()]).toEqual(['a', 'b', 'c', 'd']);
    await expect(loadFiles({ 'hosts.yml': 'all: { hosts: { a: [x] } }\n' })).rejects.toThrow(
      'expected the variables of the host (a mapping) or nothing',
    );
  });

  test('standard tags are known, and a variable of a play may be nothing', async () => {
    const inventory = await loadFiles({
      'hosts.yml':
        'all: { hosts: { a: }, vars: { s: !!str 1, i: !!int "2", f: !!float 3.5, b: !!bool "yes", n: !!null "", m: !!map { k: 1 }, l: !!seq [1] } }\n',
    });
    const { variables } = hostOf(inventory, 'a');
    const values = ['s', 'i', 'f', 'b', 'n', 'm', 'l'].map((name) => variables.get(name));
    expect(values).toEqual(['1', 2, 3.5, true, null, { k: 1 }, [1]]);
    expect(inventory.warnings).toEqual([]);
    expect(hostOf(inventory.withVariables({ s: null }), 'a').variables.get('s')).toBeNull();
  });

  test.each([
    ['/nonexistent/hosts.yml', 'no such file or directory'],
    ['/nonexistent', 'no such file or directory'],
  ])('%s cannot be read', async (path, message) => {
    await expect(loadInventory(path)).rejects.toMatchObject({ code: 'unreadable' });
    await expect(loadInventory(path)).rejects.toThrow(message);
  });

  test('a program is not run', async () => {
    const directory = writeFiles({ 'hosts.py': '#!/usr/bin/env python3\n', hosts: '#!/bin/sh\n' });
    chmodSync(join(directory, 'hosts'), 0o755);
    chmodSync(join(directory, 'hosts.py'), 0o755);
    await expect(loadInventory(join(directory, 'hosts'))).rejects.toMatchObject({ code: 'inventory-script' });
    await expect(loadInventory(join(directory, 'hosts.py'))).rejects.toMatchObject({ code: 'inventory-script' });
  });

  test('variables of the working directory, which Ansible reads for a playbook there, are not passed over without a word', async () => {
    const directory = writeFiles({
      'inventories/hosts': 'a\n',
      'group_vars/all.yml': 'x: 1\n',
      'host_vars/a': 'y: 1\n',
    });
    const told = async (path: string, workingDirectory: string): Promise<readonly unknown[]> =>
      (await loadInventory(path, { workingDirectory })).warnings.map(({ at, subject }) => [at?.file, subject]);
    expect(await told('inventories/hosts', directory)).toEqual([
      ['group_vars', 'group_vars/'],
      ['host_vars', 'host_vars/'],
    ]);
    expect(await told('hosts', join(directory, 'inventories'))).toEqual([]);
    expect(await told('inventories/hosts', join(directory, 'inventories/..'))).toHaveLength(2);
    writeFileSync(join(directory, 'hosts'), 'a\n');
    expect(await told('hosts', directory)).toEqual([]);
  });

  test('an unknown host is reported with the likely one', async () => {
    const inventory = await loadFiles({ hosts: 'etcd-1\n' });
    expect(() => inventory.render('etcd-2', 'x {{ y }}')).toThrow('did you mean etcd-1?');
  });

  test('cost is linear: a thousand hosts, each with a template and a file', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`host_vars/h${index}.yml`, `x: ${index}\n`]),
    );
    const hosts = Array.from({ length: 1000 }, (_, index) => `h${index} fqdn="{{ inventory_hostname }}.{{ domain }}"`);
    const inventory = await loadFiles({
      hosts: `[etcd]\n${hosts.join('\n')}\n[all:vars]\ndomain=example.com\n`,
      ...files,
    });
    expect(hostOf(inventory, 'h999').variables.get('x')).toBe(999);
    const names = [...inventory.hosts.values()].map((host) => host.variables.get('fqdn'));
    expect(new Set(names).size).toBe(1000);
    // A second on an idle machine; quadratic work would take minutes, and the time-out only is for that.
  }, 120_000);
});
