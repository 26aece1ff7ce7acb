import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { type Command, type Output } from '../../src/model/remote.js';
import { awaitIdleLines, busyScript, STILL_BUSY } from '../../src/shell/busy.js';
import { lockMark, releaseLockScript, takeLockScript } from '../../src/shell/lock.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('a host that is busy', () => {
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory('busy');
    mkdirSync(join(directory, 'provision'), { mode: 0o700 });
  });

  const path = (name: string): string => join(directory, name);
  const at = (name: string): Promise<boolean> => waitUntil(() => Promise.resolve(existsSync(path(name))), 20_000, 20);
  const lines = (): readonly string[] => readFileSync(path('acts'), 'utf8').trim().split('\n');

  /** Runs a script as a host would, with /run in a directory of this test; it need not wait long. */
  function run(script: string, more: Partial<Command> = {}): Promise<Output> {
    const here = script
      .replaceAll('/run/provision', path('provision'))
      .replaceAll(/flock -w 10 9(?= \|\|)/g, 'flock -w 0 9');
    return createLocalTransport('here').run({ summary: 'x', script: here, ...more });
  }

  const act = (summary: string, script: string, more: Partial<Command> = {}): Promise<Output> =>
    run(busyScript(summary, `cd ${directory}\n${script}`), more);

  /** A script that runs until it may end. */
  const slow = (name: string): string =>
    `echo ${name} begins >>acts; touch ${name}.begun; n=0; until [ -e ${name}.go ] || [ $n -gt 500 ]; do n=$((n + 1)); sleep 0.02; done; echo ${name} ends >>acts`;

  const idle = (): Promise<Output> => run(awaitIdleLines().join('\n'));

  test('has the next command wait, which says for what', async () => {
    const first = act("stop the service's unit", slow('a'));
    await at('a.begun');
    const second = act('second', 'echo b >>acts', { timeoutMs: 30_000 });
    // Nothing can be seen of who waits but its time-out, so a third one has a short one.
    const third = await act('third', 'echo c >>acts', { timeoutMs: 300 });
    expect([third.status, third.stderr]).toEqual([
      124,
      expect.stringMatching(/^waits for a command that still runs here: pid \d+: stop the service's unit\n$/),
    ]);
    expect(lines()).toEqual(['a begins']);
    writeFileSync(path('a.go'), '');
    expect([(await first).status, (await second).status]).toEqual([0, 0]);
    expect(lines()).toEqual(['a begins', 'a ends', 'b']);
  });

  test('keeps no note of a command once its lock is released, unless the command still runs', async () => {
    const there = (): boolean => existsSync(path('provision/busy'));
    await run(takeLockScript('me', ''));
    const first = act('unpack', slow('a'));
    await at('a.begun');
    expect((await run(releaseLockScript(lockMark('me')))).stdout).toBe('');
    expect(there()).toBe(true);
    expect((await run(takeLockScript('me', ''))).status).toBe(STILL_BUSY);
    writeFileSync(path('a.go'), '');
    await first;
    expect((await run(takeLockScript('me', ''))).status).toBe(0);
    expect((await run(releaseLockScript(lockMark('someone else')))).status).toBe(0);
    expect(there()).toBe(true);
    expect((await run(releaseLockScript(lockMark('me')))).status).toBe(0);
    expect(there()).toBe(false);
  });

  test('is told to whoever waits for it to be idle, with the process; and is idle once that has ended', async () => {
    expect((await idle()).status).toBe(0);
    const first = act('unpack', slow('a'));
    await at('a.begun');
    const { status, stderr } = await idle();
    expect(status).toBe(STILL_BUSY);
    const pid = /^pid (\d+): unpack\n$/.exec(stderr)?.[1] ?? '';
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('a.begun');
    writeFileSync(path('a.go'), '');
    await first;
    expect(await idle()).toMatchObject({ status: 0, stderr: '' });
  });

  test('is busy no more with what a command has started and left running', async () => {
    const { status } = await act('start', `(${slow('daemon')}) >/dev/null 2>&1 &`);
    expect(status).toBe(0);
    await at('daemon.begun');
    expect((await idle()).status).toBe(0);
    writeFileSync(path('daemon.go'), '');
  });

  test('is busy until a script has ended that ignores the end of its time', async () => {
    const script = `trap '' TERM; ${slow('a')}`;
    const first = act('deaf', script, { timeoutMs: 300 });
    await at('a.begun');
    // SIGTERM has come where the process that `timeout` has started has a pending or a handled one: it still waits.
    expect(await waitUntil(async () => (await idle()).status === 0, 900, 50)).toBe(false);
    writeFileSync(path('a.go'), '');
    await first;
    expect(lines()).toEqual(['a begins', 'a ends']);
  });

  test.each([0, 3, 124])(
    'changes nothing of what a command gives: status %i, its outputs, its stdin',
    async (status) => {
      const script = `set -eu\ncat\ncat <<'X'\n)'"$not\nX\necho err >&2\nexit ${status}`;
      const output = await act('x', script, { stdin: 'in\n' });
      expect(output).toMatchObject({ status, stdout: `in\n)'"$not\n`, stderr: 'err\n' });
    },
  );

  test('takes a script that fails in its first line for failed', async () => {
    expect((await act('x', 'set -e\nfalse\ntrue')).status).toBe(1);
    expect((await act('x', 'no-such-program-here')).status).toBe(127);
  });

  test('makes its directory where a reboot has removed it, for root only', async () => {
    await run(`rm -r ${path('provision')}`);
    expect((await act('x', 'true')).status).toBe(0);
    expect((await run(`stat -c %a ${path('provision')}`)).stdout).toBe('700\n');
  });
});
