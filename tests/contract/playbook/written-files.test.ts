// The real ansible-playbook writes the same files. What we write: tests/unit/playbook/written-files.test.ts.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { playOfWrittenFiles, WRITTEN_FILES, writtenFilesDirectory } from '../../support/written-files.js';

const PROGRAM = '/usr/bin/ansible-playbook';
const installed = existsSync(PROGRAM);
if (!installed)
  console.warn('skipped: comparing written files with the real Ansible: no /usr/bin/ansible-playbook here');

(installed ? test : test.skip)(
  'copy and template write what is expected',
  () => {
    const directory = writtenFilesDirectory();
    const out = join(directory, 'out');
    mkdirSync(out);
    writeFileSync(join(directory, 'p.yml'), playOfWrittenFiles(out));
    execFileSync(PROGRAM, ['-i', 'hosts.yml', 'p.yml'], {
      cwd: directory,
      env: { PATH: '/usr/bin:/bin', HOME: directory, LC_ALL: 'C.UTF-8' },
    });
    const written = WRITTEN_FILES.map(([parameters], index) => [
      parameters,
      readFileSync(join(out, String(index)), 'utf8'),
    ]);
    expect(written).toEqual(WRITTEN_FILES);
  },
  180_000,
);
