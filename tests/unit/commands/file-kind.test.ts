import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { kindOfFile, kindOfText } from '../../../src/commands/file-kind.js';
import { readGivenPlan } from '../../../src/commands/given-plan.js';
import { openInventory } from '../../../src/commands/inventory-options.js';
import { printableJson } from '../../../src/report/terminal-text.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const json = (value: object): string => printableJson(value, 2);
const EVENT = { formatVersion: 1, time: '2026-11-27T10:00:00.000Z' };
const PEM = (what: string): string => `-----BEGIN ${what}-----\nMIIB\n-----END ${what}-----\n`;

/** What may be given in the place of another file, and what it is reported as. */
const KINDS: readonly (readonly [text: string, what: string, file?: string])[] = [
  ['', 'an empty file'],
  ['\n \n', 'an empty file'],
  [json({ formatVersion: 3, plays: [] }), 'a saved plan'],
  [json({ formatVersion: 1, plays: [] }), 'a saved plan'],
  [`${JSON.stringify({ ...EVENT, type: 'run-started' })}\n`, 'the events of a run'],
  [
    [{ type: 'run-started' }, { type: 'notice' }].map((each) => JSON.stringify({ ...EVENT, ...each })).join('\n'),
    'the events of a run',
  ],
  [json({ formatVersion: 1, failed: { kind: 'failed' } }), 'the error of a run'],
  [json({ formatVersion: 1, certificates: [] }), 'a list of certificates'],
  [json({ formatVersion: 1, snapshots: [] }), 'a list of snapshots'],
  [json({ formatVersion: 1, items: [] }), 'a health check'],
  [json({ formatVersion: 1, causes: [] }), 'what a verb has printed'],
  [json({ name: 'x', version: '1.0.0', dependencies: {} }), 'the package.json of a program'],
  [json({ $schema: 'https://json-schema.org/draft/2020-12/schema' }), 'a JSON Schema'],
  [json({ version: 4, terraform_version: '1.9.0' }), 'a state of Terraform'],
  [json({ _meta: { hostvars: {} }, etcd: { hosts: ['a'] } }), 'what `ansible-inventory --list` prints'],
  ['apiVersion: v1\nkind: Secret\n', 'a manifest of Kubernetes'],
  ['hosts: [etcd-1=10.0.0.1]\nuser: root\n', 'answers for `init`'],
  ['- hosts: etcd\n  roles: [etcd]\n', 'a playbook'],
  ['- import_playbook: site.yaml\n', 'a playbook'],
  ['etcd_lb_ip: 10.0.0.100\n', 'a file of variables'],
  [PEM('CERTIFICATE'), 'a certificate'],
  [PEM('EC PRIVATE KEY'), 'a private key'],
  [PEM('OPENSSH PRIVATE KEY'), 'a private key'],
  [`Bag Attributes\n${PEM('PRIVATE KEY')}`, 'a private key'],
  ['<!doctype html>\n<html>', 'a page of HTML'],
  ['<?xml version="1.0"?>', 'a file of XML'],
  ['### done\n', 'a text in Markdown', 'report.md'],
  ['etcd:\n  hosts:\n    a:\n', 'an inventory'],
  ['name: { hosts: { a: } }\nversion: { hosts: { b: } }\n', 'an inventory'],
  ['# mine\n[etcd]\na\n', 'an inventory'],
];

describe('what a file seems to be', () => {
  test.each(KINDS)('%j', (text, what, file = 'x.yaml') => {
    expect(kindOfText(text, file)?.what).toEqual(expect.stringContaining(what));
  });

  // A wrong inventory is not to be called something else: what is wrong in it has a line.
  test.each([
    ['just words\n'],
    ['etcd-1 ansible_host=10.0.0.1\n'],
    ['# ## hosts\n[etcd:vars]\nx=1\n'],
    ['etcd: [a, b]\n'],
    ['etcd: {hosts: {\n'],
    ['[]'],
    ['{}'],
    ['null'],
    ['- a\n- b\n'],
    ['colour: red\n'],
    ['all:\n'],
  ])('nothing that is known: %j', (text) => {
    expect(kindOfText(text, 'x.yaml')).toBeUndefined();
  });

  test('a directory, a binary file, and what is not there', async () => {
    const directory = temporaryDirectory('kinds');
    const binary = join(directory, 'bin');
    writeFileSync(binary, Buffer.from([0x7f, 0x45, 0, 1]));
    expect([await kindOfFile(directory), await kindOfFile(binary), await kindOfFile(join(directory, 'none'))]).toEqual([
      { what: 'a directory' },
      { what: 'a binary file' },
      undefined,
    ]);
  });
});

describe('in the place of another file', () => {
  const directory = temporaryDirectory('given');
  const given = (name: string, text: string | Buffer): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    chmodSync(file, 0o600);
    return file;
  };
  const asInventory = async (file: string): Promise<unknown> => openInventory(file, {}, { env: {} });

  test('of an inventory: it says what was given, what was expected, and what it is for', async () => {
    const answers = given('answers.yaml', 'hosts: [etcd-1=10.0.0.1]\n');
    await expect(asInventory(answers)).rejects.toMatchObject({
      code: 'not-an-inventory',
      message: `${answers} seems to be answers for \`init\`; expected an inventory: hosts in groups, in YAML or INI`,
      hint: `provision init INVENTORY --answers ${answers}`,
    });
    // Each line is the name of a host, as INI has it.
    const markdown = given('report.md', '###\n\ntext\n');
    await expect(asInventory(markdown)).rejects.toMatchObject({ code: 'not-an-inventory' });
    const playbook = given('play.yaml', '- hosts: etcd\n  roles: [etcd]\n');
    await expect(asInventory(playbook)).rejects.toMatchObject({
      hint: `provision plan INVENTORY --playbook ${playbook}`,
    });
    const plan = given('old.plan', '{"formatVersion": 1, "plays": []}');
    await expect(asInventory(plan)).rejects.toMatchObject({ code: 'plan-not-inventory' });
  });

  test('an inventory that is wrong keeps its lines, and one without etcd is an inventory', async () => {
    const wrong = given('wrong.yaml', 'etcd:\n  hosts: [a]\n  vars: 7\n');
    await expect(asInventory(wrong)).rejects.toMatchObject({ code: 'input-invalid' });
    expect(await asInventory(given('others.ini', '[web]\na ansible_host=10.0.0.1\n'))).toBeDefined();
    const empty = join(directory, 'nothing');
    mkdirSync(empty);
    await expect(asInventory(empty)).rejects.toMatchObject({ code: 'inventory-empty' });
  });

  test('a pipe is not read a second time, which would wait for ever', async () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await kindOfFile(pipe)).toBeUndefined();
  });

  test('no word of a text without a group is shown: it may be a password', async () => {
    for (const text of ['correct horse battery staple', 'PASS="a b hunter2']) {
      const refused = asInventory(given('secret', text)).catch((error: unknown) => error);
      const shown = JSON.stringify(await refused) + String(await refused);
      expect(shown).toContain('not shown');
      expect(shown).not.toMatch(/horse|hunter2/);
    }
    const wrong = given('wrong.ini', 'a horse\n[etcd]\na\n');
    await expect(asInventory(wrong)).rejects.toThrow(/horse: expected key=value/);
  });

  test('of a saved plan', async () => {
    const inventory = given('inventory.yaml', 'etcd: { hosts: { a: { ansible_host: 10.0.0.1 } } }\n');
    await expect(readGivenPlan(inventory)).rejects.toMatchObject({
      code: 'plan-unreadable',
      message: `${inventory} is not a saved plan: it seems to be an inventory`,
      hint: expect.stringContaining('provision plan INVENTORY -o FILE'),
    });
    // No piece of what is no plan is printed.
    const secret = given('words', 'hunter2 is no plan');
    await expect(readGivenPlan(secret)).rejects.toMatchObject({
      message: `${secret} is not a saved plan: it is not JSON`,
    });
    const old = given('older.plan', '{"formatVersion": 1, "plays": []}');
    await expect(readGivenPlan(old)).rejects.toMatchObject({ code: 'plan-of-another-version' });
  });
});
