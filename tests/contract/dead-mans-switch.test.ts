import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/model/remote.js';
import { startAgain, stopForAWhile } from '../../src/shell/dead-mans-switch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory('dead-mans-switch');
});

/** Runs a command in a real shell, with a systemd that notes its arguments and fails where a line matches. */
function run({ script }: Command, failing = /^$/): { status: number | null; calls: readonly string[]; stderr: string } {
  const log = join(directory, 'calls');
  for (const program of ['systemctl', 'systemd-run', 'journalctl'])
    writeFileSync(
      join(directory, program),
      `#!/bin/sh
line="${program} $*"
printf '%s\\n' "$line" >>'${log}'
[ ${program} != journalctl ] || echo 'why it failed'
! printf '%s\\n' "$line" | grep -Eqx -- '${failing.source}' || exit 5
`,
      { mode: 0o755 },
    );
  const { status, stderr } = spawnSync('/bin/sh', ['-c', script], {
    cwd: scratch(),
    encoding: 'utf8',
    env: { PATH: `${directory}:/usr/bin:/bin` },
  });
  const calls = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  rmSync(log, { force: true });
  return { status, calls, stderr };
}

const OLD_TIMER = 'systemctl stop provision-drill-haproxy.timer';
const TIMER =
  'systemd-run --quiet --collect --unit=provision-drill-haproxy --on-active=60s --timer-property=AccuracySec=100ms systemctl start haproxy.service';
const ASKED = 'systemctl is-active --quiet provision-drill-haproxy.timer';
const STOP = 'systemctl stop haproxy.service';

describe('a service is stopped for a while', () => {
  test('only when a timer that starts it again is set, and seen to run', () => {
    expect(run(stopForAWhile('haproxy', 60))).toEqual({
      status: 0,
      calls: [OLD_TIMER, TIMER, ASKED, STOP],
      stderr: '',
    });
  });

  test.each([
    ['the timer can’t be set', /systemd-run .*/, [OLD_TIMER, TIMER]],
    ['the timer does not run', /systemctl is-active .*/, [OLD_TIMER, TIMER, ASKED]],
  ])('not at all where %s', (_, failing, calls) => {
    expect(run(stopForAWhile('haproxy', 60), failing)).toEqual({ status: 5, calls, stderr: '' });
  });

  test('also where no timer of an earlier drill is left', () => {
    expect(run(stopForAWhile('haproxy', 60), /systemctl stop .*\.timer/)).toMatchObject({
      status: 0,
      calls: [OLD_TIMER, TIMER, ASKED, STOP],
    });
  });

  test('and where the stop fails half way, the timer stays', () => {
    const { status, calls } = run(stopForAWhile('haproxy', 60), /systemctl stop haproxy\.service/);
    expect([status, calls.at(-1)]).toEqual([5, STOP]);
  });

  test('each by its own timer, for its own time, also with a name that a shell would read', () => {
    const { calls } = run(stopForAWhile('keepalived@a b', 7));
    expect(calls).toEqual([
      'systemctl stop provision-drill-keepalived@a b.timer',
      'systemd-run --quiet --collect --unit=provision-drill-keepalived@a b --on-active=7s --timer-property=AccuracySec=100ms systemctl start keepalived@a b.service',
      'systemctl is-active --quiet provision-drill-keepalived@a b.timer',
      'systemctl stop keepalived@a b.service',
    ]);
  });
});

describe('a service is started again', () => {
  const START = 'systemctl start haproxy.service';

  test('and only then its timer is taken away', () => {
    expect(run(startAgain('haproxy'))).toEqual({ status: 0, calls: [START, OLD_TIMER], stderr: '' });
  });

  test('with the timer left to try once more where that fails, and with the reason', () => {
    const { status, calls, stderr } = run(startAgain('haproxy'), /systemctl start .*/);
    expect(status).toBe(5);
    expect(calls).toEqual([START, 'journalctl --no-pager -o cat -n 15 -u haproxy.service']);
    expect(stderr).toBe('why it failed\n');
  });

  test('also where its timer went off already', () => {
    expect(run(startAgain('haproxy'), /systemctl stop .*/)).toMatchObject({ status: 0, calls: [START, OLD_TIMER] });
  });
});

test('both wait longer than systemd does, which gives up after 90 s', () => {
  for (const { timeoutMs } of [stopForAWhile('haproxy', 60), startAgain('haproxy')])
    expect(timeoutMs).toBeGreaterThan(90_000);
});
