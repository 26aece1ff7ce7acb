import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { sideBySide } from '../../src/shell/side-by-side.js';

function run(shell: string, commands: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(shell, ['-c', `set -eu\n${sideBySide(commands)}`], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
}

describe.each(['sh', 'bash'])('commands at once, by %s', (shell) => {
  test('print one after the other, however late the first is', () => {
    // The first waits for what the last has made: in turn it would wait for ever.
    const [first, last] = ['read -r word <"$at"', 'echo made >"$at"'];
    const at = 'at=$(mktemp -u); mkfifo "$at"; export at';
    const { stdout, status } = spawnSync(
      shell,
      ['-c', `${at}\n${sideBySide([`${first}; echo "one $word"`, 'echo two', `${last}; echo three`])}\nrm "$at"`],
      { encoding: 'utf8' },
    );
    expect({ stdout, status }).toEqual({ stdout: 'one made\ntwo\nthree\n', status: 0 });
  });

  test('print all of what they have, more than a pipe holds', () => {
    const many = (letter: string): string => `yes ${letter} | head -n 100000`;
    const lines = run(shell, [many('a'), many('b'), many('c')]).split('\n');
    expect(lines).toHaveLength(300_001);
    expect(lines.slice(0, 300_000).filter((line, index) => line !== 'abc'.charAt(index / 100_000))).toEqual([]);
  });

  test.each<[string, readonly string[], string]>([
    ['nothing', [], ''],
    ['one', ['echo a'], 'a\n'],
    ['some that print nothing', [':', 'echo b', ':'], 'b\n'],
    ['none that print', [':', ':'], ''],
    ['one that fails', ['exit 3', 'echo b; exit 4', 'echo c'], 'b\nc\n'],
    ['variables of their own', ['x=1; echo "$x"', 'echo "${x-none}"'], '1\nnone\n'],
  ])('of %s', (_, commands, expected) => {
    expect(run(shell, commands)).toBe(expected);
  });
});
