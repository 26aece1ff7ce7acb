import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Ownership } from '../../src/model/action.js';
import { changeDirectoryScript, changeFileScript } from '../../src/shell/change-ownership.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

const nameOf = (flag: string): string => spawnSync('id', [flag], { encoding: 'utf8' }).stdout.trim();
const SELF = { owner: nameOf('-un'), group: nameOf('-gn') };
const owned = (mode: string): Ownership => ({ ...SELF, mode });
let directory: string;
let file: string;
let below: string;

beforeEach(() => {
  directory = temporaryDirectory('ownership');
  file = join(directory, "it's a file");
  below = join(directory, 'below');
  writeFileSync(file, 'x', { mode: 0o644 });
  mkdirSync(below, { mode: 0o755 });
});

function run(script: string): string {
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', cwd: scratch() });
  return status === 0 ? stderr : `${status ?? 'killed'}: ${stderr}`;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8).padStart(4, '0');

describe.each<[string, () => string, typeof changeFileScript, string]>([
  ['a file', () => file, changeFileScript, '0644'],
  ['a directory', () => below, changeDirectoryScript, '0755'],
])('%s', (_, path, script, before) => {
  test('gets its mode, whatever it had, and nothing else is left beside it', () => {
    const beside = readdirSync(directory);
    expect(run(script(path(), owned('0700')))).toBe('');
    expect(modeOf(path())).toBe('0700');
    expect(readdirSync(directory)).toEqual(beside);
  });

  test('gets it where it is still as it was found', () => {
    expect(run(script(path(), owned('0750'), owned(before)))).toBe('');
    expect(modeOf(path())).toBe('0750');
  });

  test.each([
    ['mode', { mode: '0600' }],
    ['owner', { owner: 'nobody-of-here' }],
    ['group', { group: 'nobody-of-here' }],
  ])('stays as it is where it has another %s by now', (__, more) => {
    const found = { ...owned(before), ...more };
    expect(run(script(path(), owned('0700'), found))).toBe(
      `1: ${path()} is not ${found.owner}:${found.group} ${found.mode} any more\n`,
    );
    expect(modeOf(path())).toBe(before);
  });
});

describe('a file', () => {
  test.each([
    [
      'a link',
      () => {
        symlinkSync(file, join(directory, 'odd'));
      },
    ],
    [
      'a pipe',
      () => {
        spawnSync('mkfifo', [join(directory, 'odd')]);
      },
    ],
  ])('that is %s is refused', (_, make) => {
    make();
    expect(run(changeFileScript(join(directory, 'odd'), owned('0600')))).toBe(
      `1: ${join(directory, 'odd')} is not a file\n`,
    );
    expect(modeOf(file)).toBe('0644');
  });

  test('with another name is changed in a directory for root only, and refused where others can write', () => {
    linkSync(file, join(directory, 'second'));
    expect(run(changeFileScript(file, owned('0600')))).toBe('');
    chmodSync(directory, 0o777);
    expect(run(changeFileScript(file, owned('0640')))).toMatch(/ has another name \(a hard link\), /);
    expect(modeOf(file)).toBe('0600');
  });

  test('with one name is changed there too', () => {
    chmodSync(directory, 0o777);
    expect(run(changeFileScript(file, owned('0600')))).toBe('');
    expect(modeOf(file)).toBe('0600');
  });
});
