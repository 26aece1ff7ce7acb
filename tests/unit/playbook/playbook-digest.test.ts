import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { digestPlaybook } from '../../../src/playbook/playbook-digest.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const FILES: Readonly<Record<string, string>> = {
  'p.yaml': '- import_playbook: more/q.yaml\n- hosts: a\n  tasks:\n    - copy: { dest: /x, src: data/one }\n',
  'more/q.yaml':
    '- hosts: a\n  tasks:\n    - group: { name: g }\n    - copy: { dest: /y, src: two }\n    - copy: { dest: /z, src: in }\n    - template: { dest: /t, src: beside.j2 }\n',
  'templates/t.j2': 'a',
  'templates/deep/u.j2': 'b',
  'more/templates/v.j2': 'c',
  'data/one': '1',
  'more/two': '2',
  'more/files/in': '3',
  'more/beside.j2': '4',
};

let directory: string;

function write(files: Readonly<Record<string, string>>): string {
  const made = temporaryDirectory('digest');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(made, name)), { recursive: true });
    writeFileSync(join(made, name), text);
  }
  return made;
}

async function digest(of = directory): Promise<string> {
  return digestPlaybook(await readPlaybook(join(of, 'p.yaml')));
}

beforeEach(() => {
  directory = write(FILES);
});

test('is the same wherever the playbook lies, however its path is typed, and in whatever order its files were made', async () => {
  const plain = await digest();
  const inOrder = Object.entries(FILES).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = inOrder.map(([name, each]) => `${JSON.stringify([name, each.length])}\n${each}`).join('');
  expect(plain).toBe(createHash('sha256').update(text).digest('hex'));
  expect(await digest(write(Object.fromEntries(Object.entries(FILES).toReversed())))).toBe(plain);
  expect(await digest(relative('.', directory))).toBe(plain);
});

test.each(Object.keys(FILES))('is another one when %s has other text', async (name) => {
  const plain = await digest();
  writeFileSync(join(directory, name), `${FILES[name] ?? ''}\n# more\n`);
  expect(await digest()).not.toBe(plain);
});

test.each(['templates/t.j2', 'data/one', 'more/two'])('is another one when %s is gone, or empty', async (name) => {
  const plain = await digest();
  writeFileSync(join(directory, name), '');
  const empty = await digest();
  rmSync(join(directory, name));
  const gone = await digest();
  expect(new Set([plain, empty, gone]).size).toBe(3);
});

test('is another one when text moves from one file to the next', async () => {
  const plain = await digest();
  writeFileSync(join(directory, 'data/one'), '2');
  writeFileSync(join(directory, 'more/two'), '1');
  expect(await digest()).not.toBe(plain);
});

test('is another one when a file that only imports others has other text', async () => {
  const importing = { ...FILES, 'p.yaml': '- import_playbook: more/q.yaml\n' };
  const commented = { ...importing, 'p.yaml': `# more\n${importing['p.yaml']}` };
  expect(await digest(write(commented))).not.toBe(await digest(write(importing)));
});

test('does not ask what lies beside, and is used by nothing', async () => {
  const plain = await digest();
  writeFileSync(join(directory, 'data/other'), 'x');
  expect(await digest()).toBe(plain);
});
