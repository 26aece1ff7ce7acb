import { lstat, mkdir, readdir, readFile, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Output } from '../../src/model/remote.js';
import { backupDirectory, BACKUP_ROOT, copyName } from '../../src/shell/kept-copy.js';
import { removeFileScript, restoreFileScript, writeFileScript } from '../../src/shell/write-file.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const isRoot = userInfo().uid === 0;
if (!isRoot) console.warn('skipped: writing files, because backups go to /var/backups, which needs root');

let directory: string;
let path: string;

beforeEach(async () => {
  directory = temporaryDirectory('write');
  path = join(directory, 'file.cfg');
});

afterEach(async () => {
  for (const each of await readdir(BACKUP_ROOT))
    if (each.startsWith(encodeURIComponent(directory))) await rm(join(BACKUP_ROOT, each), { recursive: true });
});

const transport = createLocalTransport('here');
const OWNERSHIP = { owner: 'root', group: 'root', mode: '0640' };

interface Put {
  readonly validate?: string;
  readonly bytes?: number;
  readonly copy?: string;
  readonly to?: string;
}

let runs = 0;
let copy: string;

beforeEach(() => {
  copy = copyName(Date.now() + runs++, 0);
});

function put(text: string, more: Put = {}): Promise<Output> {
  const { bytes = Buffer.byteLength(text), validate, to = path } = more;
  const script = writeFileScript({ path: to, ...OWNERSHIP, validate }, bytes, more.copy ?? copy);
  return transport.run({ summary: 'write', script, stdin: text });
}

function restore(more: Put & { readonly when?: 'kept' | 'if-kept' } = {}): Promise<Output> {
  const { to = path, when = 'kept' } = more;
  const script = restoreFileScript({ path: to, name: more.copy ?? copy, when });
  return transport.run({ summary: 'restore', script });
}

const names = (): Promise<string[]> => readdir(directory);

(isRoot ? describe : describe.skip)('writing a file', () => {
  test('puts it in place with its mode, and leaves no stage behind', async () => {
    expect(await put('one ä\n')).toMatchObject({ status: 0, stdout: '' });
    expect(await readFile(path, 'utf8')).toBe('one ä\n');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await names()).toEqual(['file.cfg']);
  });

  test('takes away what a killed write of the same file has left, and nothing else', async () => {
    await mkdir(join(directory, '.provision-new.file.cfg'));
    await writeFile(join(directory, '.provision-new.file.cfg', 'file.cfg'), 'half');
    for (const name of ['.file.cfg.backup', '.provision-new.other']) await writeFile(join(directory, name), 'mine');
    await put('whole');
    expect((await names()).sort()).toEqual(['.file.cfg.backup', '.provision-new.other', 'file.cfg']);
  });

  test('keeps just the copy of the last run, outside the directory', async () => {
    for (const [run, text] of ['one', 'two', 'three'].entries()) await put(text, { copy: copyName(run, 7) });
    expect(await readdir(backupDirectory(path))).toEqual(['19700101T000000.002Z.7']);
    expect(await readFile(join(backupDirectory(path), '19700101T000000.002Z.7'), 'utf8')).toBe('two');
    expect(await names()).toEqual(['file.cfg']);
  });

  test('keeps every copy of a run that writes a file twice', async () => {
    await put('before');
    const [first, second] = [copyName(5_000, 1), copyName(5_000, 2)];
    await put('one', { copy: first });
    await put('two', { copy: second });
    await restore({ copy: second });
    expect(await readFile(path, 'utf8')).toBe('one');
    await restore({ copy: first });
    expect(await readFile(path, 'utf8')).toBe('before');
  });

  test.each([
    ['its check refuses it', { validate: 'grep -q good "$1" || { echo "not good" >&2; exit 1; }' }, /not good/],
    ['the connection was cut in the middle', { bytes: 100 }, /only 3 of 100 bytes arrived/],
  ])('lands nothing when %s', async (_, more, reason) => {
    await put('old');
    const output = await put('bad', more);
    expect(output.status).not.toBe(0);
    expect(output.stderr).toMatch(reason);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await names()).toEqual(['file.cfg']);
  });

  test('is on disk before it has its name, and the name before it ends: the host may lose its power at any point', async () => {
    await writeFile(path, 'old');
    const noted = ['sync', 'mv'].map((name) => `${name}() { echo "${name} $*" >&2; command ${name} "$@"; }`).join('\n');
    const script = `${noted}\n${writeFileScript({ path, ...OWNERSHIP }, 3, copy)}`;
    const { status, stderr } = await transport.run({ summary: 'write', script, stdin: 'new' });
    const kept = backupDirectory(path);
    expect([status, ...stderr.trim().split('\n')]).toEqual([
      0,
      'sync ./file.cfg',
      `sync ${join(kept, copy)} ${kept}`,
      'mv -f -T ./file.cfg ../file.cfg',
      'sync ..',
    ]);
  });

  test('takes the place of no directory, and keeps no copy of one', async () => {
    await mkdir(path);
    await writeFile(join(path, 'inside'), 'theirs');
    expect(await put('new')).toMatchObject({ status: 1, stderr: `${path} is not a file\n` });
    expect([await readdir(path), await readdir(backupDirectory(path))]).toEqual([['inside'], []]);
    expect(await names()).toEqual(['file.cfg']);
  });

  test('lands what its check accepts', async () => {
    expect(await put('good', { validate: 'grep -q good "$1"' })).toMatchObject({ status: 0 });
  });

  test('fails clearly for an owner that the host does not have', async () => {
    const script = writeFileScript({ path, owner: 'no-such-user', group: 'root', mode: '0644' }, 1, copy);
    const output = await transport.run({ summary: 'write', script, stdin: 'x' });
    expect(output.stderr).toMatch(/invalid (user|spec)/);
    expect(await names()).toEqual([]);
  });
});

(isRoot ? describe : describe.skip)('what was written', () => {
  test('can be rolled back: the old file with its mode, or none', async () => {
    await writeFile(path, 'old', { mode: 0o600 });
    const began = Date.now() - 1000;
    await utimes(path, 0, 0);
    await put('new');
    expect(await restore()).toMatchObject({ status: 0, stderr: '' });
    // A service that ran with the new one sees that another has come.
    expect((await stat(path)).mtimeMs).toBeGreaterThan(began);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    await rm(path);
    await put('new', { copy: 'other.0' });
    expect(await restore({ copy: 'other.0' })).toMatchObject({ status: 0, stderr: '' });
    expect(await names()).toEqual([]);
  });

  test.each([
    ['a link', 'elsewhere'],
    ['a dangling link', 'nowhere/at all'],
  ])('is put back as %s', async (_, target) => {
    await writeFile(join(directory, 'elsewhere'), 'theirs');
    await symlink(target, path);
    await put('new');
    expect((await lstat(path)).isFile()).toBe(true);
    expect(await readFile(join(directory, 'elsewhere'), 'utf8')).toBe('theirs');
    expect(await restore()).toMatchObject({ status: 0, stderr: '' });
    expect(await readlink(path)).toBe(target);
    const script = removeFileScript(path, 'other.0');
    expect(await transport.run({ summary: 'remove', script })).toMatchObject({ status: 0, stderr: '' });
    expect(await names()).toEqual(['elsewhere']);
    await restore({ copy: 'other.0' });
    expect(await readlink(path)).toBe(target);
  });

  test('is put back from its own copy, whatever the names of others begin with', async () => {
    const longer = `${path}.key`;
    await writeFile(path, 'certificate');
    await writeFile(longer, 'key');
    await put('new key', { to: longer });
    for (const run of [1, 2]) await put(`new ${run}`, { copy: copyName(Date.now() + 9_000 + run, 0) });
    expect(await restore({ to: longer })).toMatchObject({ status: 0 });
    expect(await readFile(longer, 'utf8')).toBe('key');
    expect(await readFile(path, 'utf8')).toBe('new 2');
  });

  test('fails loudly when its copy is gone, and leaves what is there', async () => {
    await put('old');
    await put('new', { copy: 'other.0' });
    await rm(join(backupDirectory(path), 'other.0'));
    const output = await restore({ copy: 'other.0' });
    expect(output).toMatchObject({ status: 1, stderr: expect.stringContaining(`${path} was not put back`) });
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  test('is put back after a write that failed behind its rename, and left alone when it failed before', async () => {
    await writeFile(path, 'old');
    const script = writeFileScript({ path, ...OWNERSHIP }, 3, copy).replace(/sync \.\.$/, 'exit 5');
    expect(await transport.run({ summary: 'write', script, stdin: 'new' })).toMatchObject({ status: 5 });
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await restore({ when: 'if-kept' })).toMatchObject({ status: 0 });
    expect(await readFile(path, 'utf8')).toBe('old');

    const before = await stat(path, { bigint: true });
    await put('bad', { bytes: 100, copy: 'other.0' });
    expect(await restore({ when: 'if-kept', copy: 'other.0' })).toMatchObject({ status: 0, stderr: '' });
    expect((await stat(path, { bigint: true })).ctimeNs).toBe(before.ctimeNs);
  });

  test('a removal can be rolled back', async () => {
    await writeFile(path, 'old');
    await transport.run({ summary: 'remove', script: removeFileScript(path, copy) });
    expect(await names()).toEqual([]);
    await restore();
    expect(await readFile(path, 'utf8')).toBe('old');
  });
});
