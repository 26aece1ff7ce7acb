// How directories are made on hosts and taken back, in a real shell, by whoever runs the tests.
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { backupDirectory, BACKUP_ROOT } from '../../src/shell/kept-copy.js';
import { makeDirectoryScript, removeDirectoryScript } from '../../src/shell/make-directory.js';
import { scriptHost, type ScriptHost } from '../support/script-host.js';

const { username, gid } = userInfo();
const OWNER = { owner: username, group: String(gid) };
const COPY = '20261127T000000.000Z.1';

let host: ScriptHost;
let root: string;

beforeEach(() => {
  host = scriptHost('make-directory', [BACKUP_ROOT]);
  root = host.at("it's");
  mkdirSync(root, { mode: 0o755 });
});

const make = (path: string, mode = '0750') => host.run(makeDirectoryScript({ path, ...OWNER, mode }, COPY));
const undo = (path: string) => host.run(removeDirectoryScript({ path, name: COPY }));
const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

/** What was noted of a directory: how many were missing, and the owner and mode of what was there. */
function note(path: string): string {
  return readFileSync(join(host.at(backupDirectory(path)), `${COPY}.directory`), 'utf8');
}

describe('a directory', () => {
  test('is made with its mode, and those above it so that everybody can pass', () => {
    const path = join(root, 'a', 'b c');
    expect(make(path)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect([modeOf(join(root, 'a')), modeOf(path)]).toEqual(['755', '750']);
    expect(note(path)).toMatch(/^2 \d+:\d+ 0755\n$/);
    expect(modeOf(host.at(backupDirectory(path)))).toBe('700');
  });

  test('is taken back with those that were made for it, and no other', () => {
    const path = join(root, 'a', 'b', 'c');
    mkdirSync(join(root, 'a'));
    make(path);
    expect(undo(path)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(root, { recursive: true })).toEqual(['a']);
    // A second time there is nothing of it left.
    expect(undo(path)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(root)).toEqual(['a']);
  });

  test('that was there gets its mode, and its old one again', () => {
    const path = join(root, 'a');
    mkdirSync(path, { mode: 0o755 });
    expect(make(path, '0700')).toMatchObject({ status: 0 });
    expect([note(path).split(' ')[0], modeOf(path)]).toEqual(['0', '700']);
    writeFileSync(join(path, 'data'), '');
    expect(undo(path)).toMatchObject({ status: 0, stderr: '' });
    expect([readdirSync(path), modeOf(path)]).toEqual([['data'], '755']);
  });

  test('of which nothing was noted stays as it is', () => {
    const path = join(root, 'a');
    mkdirSync(path, { mode: 0o711 });
    expect(undo(path)).toEqual({ status: 0, stdout: '', stderr: '', calls: [] });
    expect(modeOf(path)).toBe('711');
  });

  test('that is in use by then stays, and so do those above it', () => {
    const path = join(root, 'a', 'b');
    make(path);
    writeFileSync(join(path, 'data'), '');
    expect(undo(path)).toMatchObject({ status: 1, stderr: expect.stringContaining('b') });
    expect(readdirSync(root, { recursive: true }).map(String).toSorted()).toEqual(['a', 'a/b', 'a/b/data']);
  });

  test('can be the first below the root, and stand behind a link', () => {
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    const path = join(root, 'link', 'a');
    expect(make(path)).toMatchObject({ status: 0 });
    expect([note(path).split(' ')[0], readdirSync(join(root, 'real'))]).toEqual(['1', ['a']]);
    expect(undo(path)).toMatchObject({ status: 0 });
    expect(readdirSync(join(root, 'real'))).toEqual([]);
  });

  test('that another process makes with a mode for itself meanwhile, where others can write, is not given away', () => {
    const shared = join(root, 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    const path = join(shared, 'a');
    // The other one is quicker than this `mkdir`.
    host.program(
      'mkdir',
      `for last; do :; done; case $last in ./a) exec /bin/mkdir -m 0700 ./a ;; esac; exec /bin/mkdir "$@"`,
    );
    expect(make(path)).toMatchObject({
      status: 1,
      stderr: "/it's/shared/a was created by another process meanwhile\n",
    });
    expect(modeOf(path)).toBe('700');
    host.program('mkdir', 'exec /bin/mkdir "$@"');
    expect(make(join(shared, 'b'))).toMatchObject({ status: 0 });
    expect(modeOf(join(shared, 'b'))).toBe('750');
  });

  test('is noted before it is made', () => {
    const path = join(root, 'a');
    host.program('sync', 'exit 5');
    expect(make(path).status).toBe(5);
    expect(readdirSync(root)).toEqual([]);
    expect(note(path)).toMatch(/^1 /);
  });
});
