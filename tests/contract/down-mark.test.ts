import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// What systemd runs when a proxy's unit ends and starts, in a real shell, as the golden files have it.
let directory: string;

beforeEach(() => {
  directory = temporaryDirectory('down-mark');
});

/** The command of a line of the drop-in; systemd starts it without a shell, as root. */
function commandOf(setting: string, variant: string): readonly string[] {
  const text = readFileSync(`fixtures/rendered/${variant}-down.conf.default`, 'utf8');
  const [, line = ''] = new RegExp(`^${setting}=-\\+(.*)$`, 'm').exec(text) ?? [];
  // `%`, `$` and a backslash have a meaning of their own to systemd.
  expect(line).not.toMatch(/[%$\\]/);
  const here = line.replaceAll('/run/', `${directory}/`).replaceAll('/usr/local/lib/provision/', `${directory}/`);
  return [...here.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
}

function run([program = '', ...args]: readonly string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: scratch(), encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

describe.each([
  ['proxy', 'haproxy', 'check-haproxy'],
  ['nginx', 'provision-etcd-nginx', 'check-nginx'],
])('the mark of a unit that is down: %s', (variant, unit, script) => {
  const mark = (): string => join(directory, `provision-down.${unit}`);
  const check = (text: string): void => {
    writeFileSync(join(directory, script), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };

  test.each([
    ['nothing serves', 'echo "connection refused" >&2; exit 1', '1\n'],
    ['what asks hangs', 'exec sleep 60', '1\n'],
    ['another unit serves in its place', 'exit 0', undefined],
  ])('is there when it ends and %s', (_, text, expected) => {
    check(text);
    expect(run(commandOf('ExecStopPost', variant))).toEqual({ status: 0, said: '' });
    expect(existsSync(mark()) ? readFileSync(mark(), 'utf8') : undefined).toBe(expected);
  });

  test('is there when what asks is gone', () => {
    expect(run(commandOf('ExecStopPost', variant))).toEqual({ status: 0, said: '' });
    expect(readFileSync(mark(), 'utf8')).toBe('1\n');
  });

  test('is gone when it starts, and a start without one is no failure', () => {
    writeFileSync(mark(), '1\n');
    const start = commandOf('ExecStartPost', variant);
    expect([run(start), run(start)]).toEqual([0, 0].map((status) => ({ status, said: '' })));
    expect(existsSync(mark())).toBe(false);
  });
});
