import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Not the first python of PATH: a Python environment may hold another release of Ansible. */
const PYTHON = '/usr/bin/python3';

/** Whether Debian's ansible-core is here. */
export const hasAnsible = existsSync('/usr/bin/ansible-inventory') && existsSync(PYTHON);

/** Renders templates with the real Ansible, as texts. @param inventory path of an inventory file */
export function renderWithAnsible(inventory: string, host: string, templates: readonly string[]): readonly string[] {
  const output = execFileSync(
    PYTHON,
    [resolve('tests/support/ansible-templates.py'), inventory, host, JSON.stringify(templates)],
    {
      encoding: 'utf8',
      cwd: dirname(inventory),
      env: { PATH: '/usr/bin:/bin', HOME: dirname(inventory), LC_ALL: 'C.UTF-8' },
    },
  );
  return JSON.parse(output) as readonly string[];
}
