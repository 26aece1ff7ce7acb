import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { savePlan } from '../../../src/engine/saved-plan.js';
import { BARE_HOSTS } from '../../support/sample-plans.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;
let file: string;
let others: string;

beforeEach(async () => {
  directory = temporaryDirectory('saved-plan');
  file = join(directory, 'plan.json');
  others = join(directory, 'others');
  await writeFile(others, 'theirs\n');
  await chmod(others, 0o666);
});

describe('a plan is saved for its owner only, and nothing is written through what stood there:', () => {
  test.each<[string, () => Promise<void>]>([
    ['nothing', () => Promise.resolve()],
    ['a file that all may write', () => writeFile(file, 'old\n').then(() => chmod(file, 0o666))],
    ['a link to a file of others', () => symlink(others, file)],
    ['a second name of a file of others', () => link(others, file)],
    ['a link to nothing', () => symlink(join(directory, 'nowhere'), file)],
    ['a link to itself', () => symlink(file, file)],
  ])('%s', async (_, prepare) => {
    await prepare();
    await savePlan(file, BARE_HOSTS);
    expect((await stat(file)).mode & 0o7777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toHaveProperty('inventoryDigest');
    expect(await readFile(others, 'utf8')).toBe('theirs\n');
    expect((await readdir(directory)).sort()).toEqual(['others', 'plan.json']);
  });
});

describe('a plan is not saved in place of', () => {
  test.each<[string, () => Promise<void>]>([
    ['a directory', () => mkdir(file)],
    ['a link to a directory', () => symlink(directory, file)],
    // As /dev/stdout is one; /dev/null itself would be the machine's.
    ['a link to a device', () => symlink('/dev/null', file)],
  ])('%s', async (_, prepare) => {
    await prepare();
    await expect(savePlan(file, BARE_HOSTS)).rejects.toMatchObject({
      code: 'file-not-written',
      message: `the plan was not written to ${file}: it is there, and is not a file`,
    });
    expect((await readdir(directory)).sort()).toEqual(['others', 'plan.json']);
  });

  test('a file in a place where none can be made, and it says which', async () => {
    const below = join(others, 'plan.json');
    await expect(savePlan(below, BARE_HOSTS)).rejects.toMatchObject({
      code: 'file-not-written',
      message: expect.stringContaining(below),
    });
  });
});
