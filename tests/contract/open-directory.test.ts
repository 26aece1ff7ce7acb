import { chmod, chown, lchown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DIRECTORY_FUNCTIONS } from '../../src/shell/open-directory.js';
import { run } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const NOBODY = 65_534;
const DAEMON = 1;

const isRoot = userInfo().uid === 0;
if (!isRoot) console.warn('skipped: entering directories of others, because it needs root');

/** Below a directory that only root can exchange, as /etc is: /tmp is walked name by name. */
const root = `/run/provision-open-directory-${process.pid}`;

/** Makes a directory below the root. */
async function make(name: string, { mode = 0o755, owner = 0 } = {}): Promise<void> {
  await mkdir(join(root, name));
  await chmod(join(root, name), mode);
  await chown(join(root, name), owner, owner);
}

beforeAll(async () => {
  if (!isRoot) return;
  await mkdir(root);
  await chmod(root, 0o755);
  for (const name of ['plain', 'plain/below', 'closed']) await make(name, { mode: 0o750 });
  await make('shared', { mode: 0o775 });
  await make('public', { mode: 0o757 });
  await make('sticky', { mode: 0o1777 });
  for (const name of ['theirs', 'theirs/below']) await make(name, { owner: NOBODY });
  await make('theirs/ours');
  await writeFile(join(root, 'plain/file'), '');
  await symlink('plain', join(root, 'link'));
  await symlink('../plain', join(root, 'theirs/link'));
  await symlink('nowhere', join(root, 'dangling'));
  await make('seen');
  await symlink('seen', join(root, 'seen-link'));
  for (const [name, owner] of [
    ['own', NOBODY],
    ['daemons', DAEMON],
  ] as const) {
    await symlink('../seen', join(root, 'theirs', name));
    await lchown(join(root, 'theirs', name), owner, owner);
  }
});

afterAll(async () => {
  if (isRoot) await rm(root, { recursive: true, force: true });
});

/** Enters a directory. @param walk name by name, without the one step. @returns what the script says, without the root */
async function enter(path: string, { walk = false, mode = '', user = 0 } = {}): Promise<string> {
  const script = [
    DIRECTORY_FUNCTIONS,
    ...(walk ? ['straight() { :; }'] : []),
    `enter "$1" ${mode}`,
    'echo "$trusted $(pwd -P)"',
  ].join('\n');
  const as = user === 0 ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
  const { stdout, stderr } = await run([...as, 'sh', '-c', script, 'sh', `${root}/${path}`]);
  return `${stdout}${stderr}`.trim().replaceAll(root, '');
}

(isRoot ? describe : describe.skip)(
  'a directory is entered, and judged by whether only root can exchange the way to it',
  () => {
    test.each([
      ['', 'yes '],
      ['plain', 'yes /plain'],
      ['plain/below', 'yes /plain/below'],
      ['/plain//below/', 'yes /plain/below'],
      ['plain/./below/../../closed', 'yes /closed'],
      ['sticky', 'yes /sticky'],
      ['link/below', 'yes /plain/below'],
      ['shared', 'no /shared'],
      ['public', 'no /public'],
      ['theirs', 'no /theirs'],
      ['theirs/below', 'no /theirs/below'],
      ['theirs/ours', 'no /theirs/ours'],
      [
        'theirs/link',
        '/theirs/link is a symbolic link to ../plain, and others than root could have put it there: it is not followed',
      ],
      ['theirs/../plain', '/theirs/../plain: .. below a directory of others'],
      ['plain/file', '/plain/file is not a directory'],
      ['plain/nothing', 'there is no directory /plain/nothing'],
      ['dangling', 'there is no directory /nowhere'],
    ])('%s', async (path, said) => {
      expect(await enter(path)).toBe(said);
      expect(await enter(path, { walk: true })).toBe(said);
    });
  },
);

(isRoot ? test : test.skip).each([
  ['of root', 'seen-link', 'yes /seen'],
  ['of its own', 'theirs/own', 'yes /seen'],
  [
    'of a third one',
    'theirs/daemons',
    '/theirs/daemons is a symbolic link to ../seen, and others than root could have put it there: it is not followed',
  ],
])('another user than root follows links of root and its own: %s', async (_, path, said) => {
  expect(await enter(path, { user: NOBODY })).toBe(said);
});

(isRoot ? test : test.skip)('what is missing is made with its mode, below what is there', async () => {
  const path = 'plain/below/new/newer';
  expect(await enter(path, { mode: '0700' })).toBe(`yes /${path}`);
  const { stdout } = await run([
    'stat',
    '-c',
    '%a',
    join(root, 'plain/below/new'),
    join(root, path),
    join(root, 'plain/below'),
  ]);
  expect(stdout).toBe('700\n700\n750\n');
});

test('the variables of a script stay its own', async () => {
  const names = [
    'way',
    'rest',
    'mode',
    'hops',
    'part',
    'ahead',
    'here',
    'state',
    'states',
    'by',
    'link',
    'seen',
    'entered',
    'above',
    'inside',
  ];
  const script = [
    DIRECTORY_FUNCTIONS,
    ...names.map((name) => `${name}=own`),
    'enter /var/run',
    'enter "$1" 0700',
    'stage staged',
    `echo ${names.map((name) => `"$${name}"`).join(' ')}`,
  ].join('\n');
  const { stdout } = await run(['sh', '-c', script, 'sh', `${temporaryDirectory('open-directory')}/new`]);
  expect(stdout).toBe(`${names.map(() => 'own').join(' ')}\n`);
});
