import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readIfThere, replace, requireWritable, writeNew, writePrivately } from '../../../src/pki/store-files.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory('store-files');
  path = join(directory, 'made', 'file');
});

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

describe.each([
  ['that is new', (mode: number) => writeNew(path, 'text', mode, 'x1')],
  ['that may replace one', (mode: number) => replace(path, 'text', mode, 'x1')],
])('a file %s', (_, write) => {
  test.each([0o600, 0o644])(
    'has its text, its mode %i, and nothing beside it; its directory is for its owner only',
    async (mode) => {
      await write(mode);
      expect([await readFile(path, 'utf8'), await modeOf(path), await modeOf(join(path, '..'))]).toEqual([
        'text',
        mode,
        0o700,
      ]);
      expect(await readdir(join(path, '..'))).toEqual(['file']);
    },
  );

  test('that can’t be written leaves nothing', async () => {
    await mkdir(join(path, '..'));
    // Someone else’s stage is neither taken over nor removed in silence: the write fails.
    await symlink(join(directory, 'elsewhere'), `${path}.x1`);
    const failed = await write(0o600).catch((error: unknown) => error);
    expect([undefined, true]).not.toContain(failed);
    expect(await readIfThere(path)).toBeUndefined();
    expect(await readIfThere(join(directory, 'elsewhere'))).toBeUndefined();
  });
});

test('what is there is left as it is, or replaced, as was asked', async () => {
  expect(await writeNew(path, 'one', 0o600, 'a')).toBe(true);
  expect(await writeNew(path, 'two', 0o644, 'b')).toBe(false);
  expect([await readFile(path, 'utf8'), await modeOf(path)]).toEqual(['one', 0o600]);
  await replace(path, 'three', 0o644, 'c');
  expect([await readFile(path, 'utf8'), await modeOf(path)]).toEqual(['three', 0o644]);
  expect(await readdir(join(path, '..'))).toEqual(['file']);
});

test('an error other than a file that is there is none of these answers', async () => {
  await writeFile(join(directory, 'made'), 'no directory');
  await expect(writeNew(path, 'x', 0o600, 'a')).rejects.toMatchObject({
    code: expect.stringMatching(/^E(NOTDIR|EXIST)$/) as unknown,
  });
  await expect(readIfThere(path)).rejects.toMatchObject({ code: 'ENOTDIR' });
  // A directory in which nobody can make a file.
  await expect(writeNew('/proc/self/provision', 'x', 0o600, 'a')).rejects.toMatchObject({ code: 'ENOENT' });
  await rm(join(directory, 'made'));
  expect(await readIfThere(path)).toBeUndefined();
});

describe('what its owner alone may read', () => {
  test('replaces a file that others may read, and a link, but not where that leads', async () => {
    await mkdir(join(path, '..'));
    await writeFile(path, 'public', { mode: 0o644 });
    await writePrivately(path, 'one', 'the plan');
    expect([await readFile(path, 'utf8'), await modeOf(path)]).toEqual(['one', 0o600]);
    const [link, victim] = [join(directory, 'link'), join(directory, 'victim')];
    await writeFile(victim, 'precious');
    await symlink(victim, link);
    await writePrivately(link, 'two', 'the plan');
    expect([await readFile(link, 'utf8'), await readFile(victim, 'utf8'), await modeOf(link)]).toEqual([
      'two',
      'precious',
      0o600,
    ]);
    // Also a link that leads nowhere.
    await symlink(join(directory, 'nowhere'), join(directory, 'dangling'));
    await writePrivately(join(directory, 'dangling'), 'three', 'the plan');
    expect(await readFile(join(directory, 'dangling'), 'utf8')).toBe('three');
    expect(await readIfThere(join(directory, 'nowhere'))).toBeUndefined();
  });

  test('goes into no directory and no device, which stay', async () => {
    await writeFile(join(directory, 'text'), 'no directory');
    for (const [place, why] of [
      [directory, 'is not a file'],
      ['/dev/null', 'is not a file'],
      [join(directory, 'text', 'file'), 'E(NOTDIR|EXIST)'],
    ] as const)
      await expect(writePrivately(place, 'x', 'the plan')).rejects.toMatchObject({
        code: 'file-not-written',
        message: expect.stringMatching(RegExp(`^the plan was not written to ${place}: .*${why}`)) as unknown,
      });
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });
});

describe('what shows before any work that a file could not be written', () => {
  test('leaves nothing where it could', async () => {
    await requireWritable(join(directory, 'plan'), 'the plan');
    expect(await readdir(directory)).toEqual([]);
  });

  test.each([
    ['its directory is a file', () => join(directory, 'file', 'plan')],
    ['it is a device', () => '/dev/null'],
  ])('is an error with its name where %s', async (_, place) => {
    await writeFile(join(directory, 'file'), '');
    await expect(requireWritable(place(), 'the plan')).rejects.toMatchObject({
      code: 'file-not-written',
      message: expect.stringContaining(place()),
    });
  });
});
