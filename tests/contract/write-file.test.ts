import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Output } from '../../src/model/remote.js';
import { BACKUP_ROOT, removeFileScript, restoreFileScript, writeFileScript } from '../../src/shell/write-file.js';
import { createLocalTransport } from '../support/local-transport.js';

const isRoot = userInfo().uid === 0;
if (!isRoot) console.warn('skipped: writing files, because backups go to /var/backups, which needs root');

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'write-'));
  path = join(directory, 'file.cfg');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
  await rm(join(BACKUP_ROOT, directory), { recursive: true, force: true });
});

const transport = createLocalTransport('here');
const OWNERSHIP = { owner: 'root', group: 'root', mode: '0640' };

function put(text: string, more: { validate?: string; bytes?: number } = {}): Promise<Output> {
  const { bytes = Buffer.byteLength(text), validate } = more;
  const script = writeFileScript({ path, ...OWNERSHIP, validate }, bytes);
  return transport.run({ summary: 'write', script, stdin: text });
}

const names = (): Promise<string[]> => readdir(directory);

(isRoot ? describe : describe.skip)('writing a file', () => {
  test('puts it in place with its mode, and leaves no stage behind', async () => {
    expect(await put('one ä\n')).toMatchObject({ status: 0, stdout: '' });
    expect(await readFile(path, 'utf8')).toBe('one ä\n');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await names()).toEqual(['file.cfg']);
  });

  test('takes away what killed writes of the same file have left', async () => {
    await writeFile(join(directory, '.file.cfg.Ab12Cd'), 'half');
    await writeFile(join(directory, '.other.cfg.Ab12Cd'), 'half');
    await put('whole');
    expect((await names()).sort()).toEqual(['.other.cfg.Ab12Cd', 'file.cfg']);
  });

  test('keeps just one dated copy of what it replaces, outside the directory', async () => {
    for (const text of ['one', 'two', 'three']) await put(text);
    const kept = await readdir(join(BACKUP_ROOT, directory));
    expect(kept).toEqual([expect.stringMatching(/^file\.cfg\.\d{8}T\d{6}\.\d+Z$/)]);
    expect(await readFile(join(BACKUP_ROOT, directory, kept[0] ?? ''), 'utf8')).toBe('two');
    expect(await names()).toEqual(['file.cfg']);
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

  test('lands what its check accepts', async () => {
    expect(await put('good', { validate: 'grep -q good "$1"' })).toMatchObject({ status: 0 });
  });

  test('fails clearly for an owner that the host does not have', async () => {
    const script = writeFileScript({ path, owner: 'no-such-user', group: 'root', mode: '0644' }, 1);
    const output = await transport.run({ summary: 'write', script, stdin: 'x' });
    expect(output.stderr).toMatch(/invalid (user|spec)/);
    expect(await names()).toEqual([]);
  });

  test('can be taken back: the old file with its mode, or none', async () => {
    await writeFile(path, 'old', { mode: 0o600 });
    const replaced = await put('new');
    await transport.run({ summary: 'restore', script: restoreFileScript(path, replaced.stdout, directory) });
    expect(await readFile(path, 'utf8')).toBe('old');
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    await rm(path);
    const created = await put('new');
    await transport.run({ summary: 'restore', script: restoreFileScript(path, created.stdout, directory) });
    expect(await names()).toEqual([]);
  });

  test('a removal can be taken back', async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(path, 'old');
    const removed = await transport.run({ summary: 'remove', script: removeFileScript(path) });
    expect(await names()).toEqual([]);
    await transport.run({ summary: 'restore', script: restoreFileScript(path, removed.stdout, directory) });
    expect(await readFile(path, 'utf8')).toBe('old');
  });
});
