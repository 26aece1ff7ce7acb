// The real ansible-playbook makes the same of loops. What we make: tests/unit/playbook/looped-files.test.ts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loopedFiles, loopedFilesDirectory, playOfLoops } from '../../support/looped-files.js';

const PROGRAM = '/usr/bin/ansible-playbook';
const installed = existsSync(PROGRAM);
if (!installed) console.warn('skipped: comparing loops with the real Ansible: no /usr/bin/ansible-playbook here');

(installed ? test : test.skip)(
  'tasks with loops write what is expected',
  () => {
    const directory = loopedFilesDirectory();
    const out = join(directory, 'out');
    mkdirSync(out);
    writeFileSync(join(directory, 'p.yml'), playOfLoops(out));
    const ended = spawnSync(PROGRAM, ['-i', 'hosts.yml', 'p.yml'], {
      encoding: 'utf8',
      cwd: directory,
      env: { PATH: '/usr/bin:/bin', HOME: directory, LC_ALL: 'C.UTF-8' },
    });
    if (ended.status !== 0) throw new Error(ended.stdout);
    const written = readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]);
    expect(Object.fromEntries(written)).toEqual(loopedFiles());
  },
  180_000,
);
