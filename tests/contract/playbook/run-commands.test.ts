// What `command` and `shell` run is what the real ansible-playbook runs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { builtPlay } from '../../support/built-play.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { playOfCommands, RUN_COMMANDS, SHOW } from '../../support/run-commands.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const PROGRAM = '/usr/bin/ansible-playbook';
const installed = existsSync(PROGRAM);
if (!installed) console.warn('skipped: comparing commands with the real Ansible: no /usr/bin/ansible-playbook here');

const INVENTORY =
  'all: { hosts: { a: { ansible_connection: local, ansible_python_interpreter: /usr/bin/python3 } } }\n';

function prepared(): { readonly directory: string; readonly env: NodeJS.ProcessEnv } {
  const directory = temporaryDirectory('commands');
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, 'show'), SHOW, { mode: 0o755 });
  writeFileSync(join(directory, 'hosts.yaml'), INVENTORY);
  writeFileSync(join(directory, 'p.yaml'), playOfCommands(directory));
  return { directory, env: { PATH: '/usr/bin:/bin', HOME: directory, LC_ALL: 'C.UTF-8' } };
}

function shownIn(directory: string): readonly (readonly [string, string])[] {
  return RUN_COMMANDS.map(([task], index) => {
    const file = join(directory, 'out', String(index));
    return [task, existsSync(file) ? readFileSync(file, 'utf8').replaceAll(directory, 'HOME') : 'nothing'];
  });
}

test('command and shell run what is expected', async () => {
  const { directory, env } = prepared();
  const play = await builtPlay(directory, 'p.yaml', 'hosts.yaml');
  const probe = fakeProbe({
    paths: new Proxy({}, { get: () => false, getOwnPropertyDescriptor: () => ({ configurable: true, value: false }) }),
  });
  for (const resource of play?.resources.get('a') ?? []) {
    const outcome = await resource.plan(probe);
    const [action] = outcome.kind === 'change' ? outcome.change.actions : [];
    if (action?.kind !== 'run') throw new Error(resource.address);
    execFileSync('sh', ['-c', action.command.script], { cwd: '/', env });
  }
  expect(shownIn(directory)).toEqual(RUN_COMMANDS);
});

(installed ? test : test.skip)(
  'the real Ansible runs the same',
  () => {
    const { directory, env } = prepared();
    execFileSync(PROGRAM, ['-i', 'hosts.yaml', 'p.yaml'], { cwd: directory, env });
    expect(shownIn(directory)).toEqual(RUN_COMMANDS);
  },
  180_000,
);
