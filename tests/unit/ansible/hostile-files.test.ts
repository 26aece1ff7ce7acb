// Files of inventories that are no inventories: whatever they hold, the answer is an inventory or an error with its place.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listAsJson } from '../../../src/ansible/list-inventory.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { InputError, ProvisionError } from '../../../src/model/errors.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { loadFiles, writeFiles } from '../../support/write-inventory.js';

async function refusal(files: Readonly<Record<string, string>>): Promise<InputError> {
  const error: unknown = await loadFiles(files).catch((reason: unknown) => reason);
  if (error instanceof InputError) return error;
  throw new Error('no InputError', { cause: error });
}

const HOSTS = 'all:\n  hosts:\n    a:\n';
const bomb = (levels: number): string =>
  [...Array(levels).keys()]
    .map(
      (level) =>
        `v${level}: &v${level} [${Array(9)
          .fill(level === 0 ? 'x' : `*v${level - 1}`)
          .join(', ')}]\n`,
    )
    .join('');
const merges = (levels: number): string =>
  [...Array(levels).keys()]
    .map(
      (level) =>
        `m${level}: &m${level} { <<: [${Array(9)
          .fill(level === 0 ? '{}' : `*m${level - 1}`)
          .join(', ')}] }\n`,
    )
    .join('');

describe('refused with a place', () => {
  test.each([
    ['aliases of aliases', { 'hosts.yml': HOSTS, 'group_vars/all.yml': bomb(30) }, /all\.yml:\d+:\d+: .*values/],
    ['merges of merges', { 'hosts.yml': HOSTS, 'group_vars/all.yml': merges(30) }, /all\.yml:\d+:\d+: .*values/],
    [
      'an inventory of aliases',
      { 'hosts.yml': `${HOSTS}  vars:\n${bomb(12).replace(/^/gm, '    ')}\n` },
      /hosts\.yml:\d+/,
    ],
    [
      'a thousand lists in lists',
      { 'hosts.yml': `all: { vars: { x: ${'['.repeat(1000)}${']'.repeat(1000)} } }` },
      /:1:\d+: .*deep/,
    ],
    ['a million of them', { 'hosts.yml': `all: ${'['.repeat(1_000_000)}` }, /hosts\.yml:1:\d+: /],
    ['a NUL byte', { 'hosts.yml': 'all:\n  hosts:\n    a\0b:\n' }, /hosts\.yml:3:6: .*NUL/],
    ['a NUL byte in an INI file', { 'hosts.ini': '[etcd]\na\0b\n' }, /hosts\.ini:2:2: .*NUL/],
    ['an escape', { 'hosts.yml': 'all:\n  hosts:\n    a\u001b[2J:\n' }, /hosts\.yml:3:6: .*U\+001b/],
  ])('%s', async (_, files, message) => {
    expect((await refusal(files)).message).toMatch(message);
  });

  test('a playbook of aliases of aliases', async () => {
    const directory = writeFiles({ 'p.yaml': bomb(30) });
    await expect(readPlaybook(join(directory, 'p.yaml'))).rejects.toBeInstanceOf(InputError);
  });

  test('a playbook nested a million times', async () => {
    const directory = writeFiles({ 'p.yaml': '['.repeat(1_000_000) });
    await expect(readPlaybook(join(directory, 'p.yaml'))).rejects.toBeInstanceOf(InputError);
  });
});

describe('what is no file', () => {
  test.each([
    ['a directory in place of a file of variables', 'group_vars/all.yml', 'accepted'],
    ['a directory without a host', 'hosts.yml', 'inventory-empty'],
  ])('%s', async (_, name, result) => {
    const directory = writeFiles(name === 'hosts.yml' ? {} : { 'hosts.yml': HOSTS });
    mkdirSync(join(directory, name), { recursive: true });
    const code = await loadInventory(join(directory, 'hosts.yml')).then(
      () => 'accepted',
      (error: unknown) => (error instanceof ProvisionError ? error.code : String(error)),
    );
    expect(code).toBe(result);
  });

  test('a link to nothing in a directory of inventories', async () => {
    const directory = writeFiles({ 'inv/hosts.yml': HOSTS });
    symlinkSync('/nonexistent', join(directory, 'inv', 'other.yml'));
    await expect(loadInventory(join(directory, 'inv'))).rejects.toMatchObject({ code: 'unreadable' });
  });

  test('a file without an end', async () => {
    await expect(loadInventory('/dev/zero')).rejects.toMatchObject({ code: 'unreadable' });
  });

  test('a file that may not be read', async () => {
    const directory = writeFiles({ 'hosts.yml': HOSTS });
    chmodSync(join(directory, 'hosts.yml'), 0);
    // For root nothing is unreadable.
    const expected = process.getuid?.() === 0 ? { file: join(directory, 'hosts.yml') } : undefined;
    const loaded = await loadInventory(join(directory, 'hosts.yml')).catch((error: unknown) => error);
    expect(loaded).toMatchObject(expected ?? { code: 'unreadable' });
  });
});

test('the digest knows one inventory by whatever path it was named', async () => {
  const directory = writeFiles({ 'inv/hosts.yml': HOSTS, 'inv/group_vars/all.yml': 'x: 1\n' });
  const paths = ['inv/hosts.yml', './inv/hosts.yml', '../inv/hosts.yml', join(directory, 'inv', 'hosts.yml')];
  const digests = await Promise.all(
    paths.map(async (path) => {
      const workingDirectory = path.startsWith('..') ? join(directory, 'inv') : directory;
      return (await loadInventory(path, { workingDirectory })).digest;
    }),
  );
  expect(new Set(digests).size).toBe(1);
  // Another machine has checked it out at another place.
  const elsewhere = writeFiles({ 'clusters/inv/hosts.yml': HOSTS, 'clusters/inv/group_vars/all.yml': 'x: 1\n' });
  expect((await loadInventory(join(elsewhere, 'clusters/inv/hosts.yml'))).digest).toBe(digests[0]);
  writeFileSync(join(directory, 'inv/group_vars/all.yml'), 'x: 2\n');
  expect((await loadInventory(paths[3] ?? '')).digest).not.toBe(digests[0]);
});

/** Pieces that inventories are made of, in any order. */
const pieces = fc.constantFrom(
  ...['all:', 'hosts:', 'children:', 'vars:', 'etcd:', 'a:', 'b', 'x: 1', '[etcd]', '[etcd:vars]', '[all:children]'],
  ...[
    'a[1:3]',
    'a[1:',
    'x=1',
    "x='",
    'x="{{ y }}"',
    '{{ x }}',
    '{% if %}',
    '&a',
    '*a',
    '<<: *a',
    '!vault |',
    '!unsafe',
  ],
  ...['$ANSIBLE_VAULT;1.1;AES256', '- ', '? ', '|', '>', '{', '}', '[', ']', '#', '---', '...', '\0', '\u001b', '\t'],
);
const layout = fc.constantFrom('\n', '\n  ', '\n    ', '\n      ', ' ', ': ', '=');
const inventoryText = fc.oneof(
  fc
    .array(
      fc.tuple(pieces, layout).map((pair) => pair.join('')),
      { maxLength: 40 },
    )
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

test.each(['hosts.yml', 'hosts.ini', 'hosts', 'group_vars/all.yml'])('any text as %s', async (name) => {
  await fc.assert(
    fc.asyncProperty(inventoryText, async (text) => {
      const files = name.startsWith('group') ? { 'hosts.yml': HOSTS, [name]: text } : { [name]: text };
      try {
        const inventory = await loadFiles(files);
        listAsJson(inventory);
        for (const host of inventory.hosts.values())
          for (const variable of host.variables.names()) host.variables.get(variable);
      } catch (error) {
        if (!(error instanceof ProvisionError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
