// The real ansible-inventory (Debian's ansible-core) and this program read the same files.
// Refresh the golden files with: UPDATE_GOLDEN=1 npm run -s jest -- --selectProjects contract -- ansible-inventory
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { listAsJson, listAsTree } from '../../../src/ansible/list-inventory.js';
import {
  asPrinted,
  hideEncryptedFiles,
  inventoryFixtures,
  loadFixture,
  type InventoryFixture,
} from '../../support/inventories.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

// Not the first python of PATH: a Python environment may hold another release of Ansible.
const PYTHON = '/usr/bin/python3';
const installed = existsSync('/usr/bin/ansible-inventory') && existsSync(PYTHON);
if (!installed) console.warn('skipped: comparing with the real ansible-inventory: no /usr/bin/ansible-inventory here');

const fixtures = inventoryFixtures();
const tree = fixtures.filter(({ name }) => name === 'deep-children/tree.yml');

/** Ansible also merges group_vars/ of the working directory and reads ansible.cfg there. */
const elsewhere = temporaryDirectory('elsewhere');

function listArguments(fixture: InventoryFixture): readonly string[] {
  const password = fixture.passwordFile === undefined ? [] : ['--vault-password-file', resolve(fixture.passwordFile)];
  return ['-i', resolve(fixture.path), '--list', ...password];
}

function runAnsible(runs: readonly (readonly string[])[]): readonly string[] {
  const script = resolve('tests/support/ansible-inventory-batch.py');
  const output = execFileSync(PYTHON, [script, JSON.stringify(runs)], {
    encoding: 'utf8',
    cwd: elsewhere,
    env: { PATH: '/usr/bin:/bin', HOME: elsewhere, LC_ALL: 'C.UTF-8' },
  });
  return JSON.parse(output) as readonly string[];
}

(installed ? describe : describe.skip)('the real ansible-inventory', () => {
  const printed = new Map<string, string>();

  beforeAll(() => {
    const runs = [...fixtures.map(listArguments), ...tree.map((fixture) => [...listArguments(fixture), '--yaml'])];
    const names = [...fixtures.map(({ name }) => name), 'tree'];
    for (const [index, text] of runAnsible(runs).entries()) printed.set(names[index] ?? '', text);
  }, 120_000);

  test.each(fixtures)('$name: prints the golden file, and so do we', async (fixture) => {
    const text = printed.get(fixture.name) ?? '';
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(fixture.golden, text);
    expect(JSON.parse(readFileSync(fixture.golden, 'utf8'))).toStrictEqual(JSON.parse(text));
    expect(asPrinted(listAsJson(await loadFixture(fixture)))).toStrictEqual(hideEncryptedFiles(text));
  });

  test.each(tree)('$name: prints the same tree as YAML', async (fixture) => {
    expect(asPrinted(listAsTree(await loadFixture(fixture)))).toStrictEqual(parse(printed.get('tree') ?? ''));
  });
});
