import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { joinScripts, splitAnswers, RUN_CREDENTIAL, takeCredential } from '../../../src/shell/batch.js';
import { scratch } from '../../support/scratch.js';

const TOKEN = 'abc123';

function answersOf(stdout: string, count: number): readonly (readonly [number, string])[] {
  return splitAnswers(Buffer.from(stdout), TOKEN, count).map(({ status, stdout: bytes }) => [
    status,
    Buffer.from(bytes).toString(),
  ]);
}

describe('answers of joined scripts', () => {
  test('are those of each, whatever the others do: end, fail, read, or print no line end', () => {
    const scripts = ['printf x', 'exit 7', 'cat; echo y', 'a=1; set -e; false; echo not', 'echo ${a-none}', ':'];
    const { stdout } = spawnSync('sh', ['-c', joinScripts(scripts, TOKEN)], {
      input: 'stdin',
      encoding: 'utf8',
      cwd: scratch(),
    });
    expect(answersOf(stdout, 6)).toEqual([
      [0, 'x'],
      [7, ''],
      [0, 'y\n'],
      [1, ''],
      [0, 'none\n'],
      [0, ''],
    ]);
  });

  test.each([
    ['nothing', '', 1, 1],
    ['less than asked', `a\n${TOKEN} 0\n`, 2, 2],
    ['no status', `a\n${TOKEN} \n`, 1, 1],
    ['half a status line', `a\n${TOKEN} 0`, 1, 1],
    ['a status that is none', `a\n${TOKEN} x\n`, 1, 1],
    ['a status too long', `a\n${TOKEN} 1234\n`, 1, 1],
    ['a status with more behind it', `a\n${TOKEN} 0 b\n`, 1, 1],
    ['another token', 'a\nabc124 0\n', 1, 1],
    ['a token without its line', `${TOKEN} 0\n`, 1, 1],
  ])('%s is an error', (_, stdout, count, missing) => {
    expect(() => answersOf(stdout, count)).toThrow(`the shell ended before answer ${missing} of ${count}`);
  });

  test('end where the line of the token begins, and at once when it comes first', () => {
    expect(answersOf(`\n${TOKEN} 0\na\n\n${TOKEN} 255\nmore`, 2)).toEqual([
      [0, ''],
      [255, 'a\n'],
    ]);
  });

  test('are read from the part of a larger memory that they are in', () => {
    const memory = Buffer.from(`before\n${TOKEN} 9\na\n${TOKEN} 0\nafter`);
    const part = memory.subarray(`before\n${TOKEN} 9\n`.length, -5);
    expect(splitAnswers(part, TOKEN, 1).map(({ status }) => status)).toEqual([0]);
  });
});

test('a credential on stdin is read by each script that wants it, and has no name', () => {
  const before = existsSync('/dev/shm') ? readdirSync('/dev/shm') : [];
  const named = 'ls -a /dev/shm /run 2>/dev/null | grep -c provision; :';
  const scripts = [`cat ${RUN_CREDENTIAL}`, named, `cat ${RUN_CREDENTIAL}`];
  const script = `${takeCredential()}\n${joinScripts(scripts, TOKEN)}`;
  const { stdout } = spawnSync('sh', ['-c', script], { input: 'PEM\n', encoding: 'utf8', cwd: scratch() });
  expect(answersOf(stdout, 3)).toEqual([
    [0, 'PEM\n'],
    [0, expect.any(String)],
    [0, 'PEM\n'],
  ]);
  expect(existsSync('/dev/shm') ? readdirSync('/dev/shm') : []).toEqual(before);
});
