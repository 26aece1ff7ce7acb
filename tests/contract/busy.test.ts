import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { type Command, type Output } from '../../src/model/remote.js';
import { whatRuns } from '../../src/engine/busy-hosts.js';
import { awaitIdleScript, busyScript, requireIdleLines, STILL_BUSY } from '../../src/shell/busy.js';
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

  /** Runs a script as a host would, with /run in a directory of this test. */
  function run(script: string, more: Partial<Command> = {}): Promise<Output> {
    const here = script.replaceAll('/run/provision', path('provision'));
    return createLocalTransport('here').run({ summary: 'x', script: here, ...more });
  }

  const act = (summary: string, script: string, more: Partial<Command> = {}): Promise<Output> =>
    run(busyScript(summary, `cd ${directory}\n${script}`), more);

  /** A script that runs until it may end. */
  const slow = (name: string): string =>
    `echo ${name} begins >>acts; touch ${name}.begun; n=0; until [ -e ${name}.go ] || [ $n -gt 500 ]; do n=$((n + 1)); sleep 0.02; done; echo ${name} ends >>acts`;

  const idle = (): Promise<Output> => run(requireIdleLines().join('\n'));

  test('begins no other command, and says what runs', async () => {
    const first = act("stop the service's unit", slow('a'));
    await at('a.begun');
    const second = await act('second', 'echo b >>acts');
    expect([second.status, whatRuns(second)]).toEqual([
      STILL_BUSY,
      expect.stringMatching(/^pid \d+: stop the service's unit$/),
    ]);
    expect(lines()).toEqual(['a begins']);
    writeFileSync(path('a.go'), '');
    expect((await first).status).toBe(0);
    expect((await act('second', 'echo b >>acts')).status).toBe(0);
    expect(lines()).toEqual(['a begins', 'a ends', 'b']);
  });

  test('is waited for until it is idle, and no longer', async () => {
    const first = act('unpack', slow('a'));
    await at('a.begun');
    const waits = run(awaitIdleScript());
    const isIdle = waits.then(() => 'idle');
    const soon = new Promise((resolve) => setTimeout(resolve, 300, 'waits'));
    expect(await Promise.race([isIdle, soon])).toBe('waits');
    writeFileSync(path('a.go'), '');
    await first;
    expect((await waits).status).toBe(0);
    // Of a host where nothing has run yet there is nothing to wait for.
    await run(`rm ${path('provision')}/busy`);
    expect((await run(awaitIdleScript())).status).toBe(0);
    expect(existsSync(path('provision/busy'))).toBe(false);
  });

  test('says no more than a short line of a note that anybody may have written', async () => {
    const first = act('x', `yes 'Done: 3 changed' | head -c 5000000 >${path('provision')}/busy; ${slow('a')}`);
    await at('a.begun');
    const second = await act('second', 'true');
    expect(second.stderr.length).toBeLessThan(300);
    expect(whatRuns(second)).toBe('Done: 3 changed');
    writeFileSync(path('a.go'), '');
    await first;
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

  test('is reported to whoever waits for it to be idle, with the process; and is idle once that has ended', async () => {
    expect((await idle()).status).toBe(0);
    const first = act('unpack', slow('a'));
    await at('a.begun');
    const { status, stderr } = await idle();
    expect(status).toBe(STILL_BUSY);
    const pid = /^pid (\d+): unpack$/.exec(whatRuns({ status, stderr }) ?? '')?.[1] ?? '';
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
    // Its time is up before it begins to wait: what timeout(1) itself waits for.
    const first = act('deaf', `trap '' TERM; kill -s ALRM $PPID; ${slow('a')}`);
    await at('a.begun');
    expect((await idle()).status).toBe(STILL_BUSY);
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
