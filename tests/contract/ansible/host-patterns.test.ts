// The real Ansible selects the same hosts for the same patterns.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { PATTERN_CASES, PATTERN_INVENTORY } from '../../support/pattern-cases.js';
import { writeFiles } from '../../support/write-inventory.js';

const PYTHON = '/usr/bin/python3';
const installed = existsSync('/usr/bin/ansible-inventory') && existsSync(PYTHON);
if (!installed)
  console.warn('skipped: comparing host patterns with the real Ansible: no /usr/bin/ansible-inventory here');

(installed ? describe : describe.skip)("Ansible's InventoryManager", () => {
  let selected: readonly (readonly string[])[];

  beforeAll(() => {
    const directory = writeFiles({ hosts: PATTERN_INVENTORY });
    const patterns = JSON.stringify(PATTERN_CASES.map(([pattern]) => pattern));
    const output = execFileSync(
      PYTHON,
      [resolve('tests/support/ansible-select-hosts.py'), join(directory, 'hosts'), patterns],
      { encoding: 'utf8', cwd: directory, env: { PATH: '/usr/bin:/bin', HOME: directory, LC_ALL: 'C.UTF-8' } },
    );
    selected = JSON.parse(output) as readonly (readonly string[])[];
  }, 120_000);

  test.each(PATTERN_CASES.map(([pattern, hosts], index) => ({ pattern, hosts, index })))(
    '$pattern',
    ({ hosts, index }) => {
      expect(selected[index]).toStrictEqual(hosts);
    },
  );
});
