import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { marksOf, remoteCommandLine, remotePayload } from '../../../src/shell/remote-command.js';
import { withAptProxies } from '../../../src/shell/remote-environment.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { scratch } from '../../support/scratch.js';

const TOKEN = '0123456789abcdef';
const MARKS = marksOf(TOKEN);

interface Wire {
  readonly script: string;
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** How many bytes of what is sent get through; default: all. */
  readonly cutAt?: number;
  readonly shell?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the login shell runs before, as .bashrc or a forced command may. */
  readonly before?: string;
}

/** Runs the command line as sshd does, and sends the parts. */
function send({ script, stdin = '', timeoutMs = 60_000, cutAt, shell = 'sh', env = process.env, before = '' }: Wire): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const line = remoteCommandLine({
    scriptBytes: Buffer.byteLength(script),
    stdinBytes: Buffer.byteLength(stdin),
    timeoutMs,
  });
  const input = remotePayload(TOKEN, Buffer.from(script), Buffer.from(stdin)).subarray(0, cutAt);
  return spawnSync(shell, ['-c', before + line], { input, encoding: 'utf8', env, cwd: scratch() });
}

/** An output with its marks around it. */
const marked = (text: string, status: number): string => `${MARKS.begin}${text}${MARKS.end}${status}\n`;

test('runs the script, and gives its status and both outputs between marks', () => {
  expect(send({ script: 'echo out; echo err >&2; exit 3' })).toMatchObject({
    status: 3,
    stdout: marked('out\n', 3),
    stderr: marked('err\n', 3),
  });
});

test('what comes from before and after is outside of the marks', () => {
  const before = 'echo Welcome; echo warning >&2; ';
  expect(send({ script: 'printf x', before })).toMatchObject({
    stdout: `Welcome\n${marked('x', 0)}`,
    stderr: `warning\n${marked('', 0)}`,
  });
});

test('a script without stdin reads the end of file', () => {
  expect(send({ script: 'cat; echo end' })).toMatchObject({ status: 0, stdout: marked('end\n', 0) });
});

test('hands stdin to the script, without the end mark', () => {
  const stdin = 'süß\n.\nno newline';
  expect(send({ script: 'cat; exit 4', stdin })).toMatchObject({ status: 4, stdout: marked(stdin, 4) });
});

test('a script may leave its stdin unread', () => {
  const sent = { script: 'echo done; exit 5', stdin: 'x'.repeat(1_000_000) };
  expect(send(sent)).toMatchObject({ status: 5, stderr: marked('', 5) });
});

test('a script may be larger than one argument of execve', () => {
  const script = `${'# filler\n'.repeat(40_000)}echo end`;
  expect(send({ script })).toMatchObject({ status: 0, stdout: marked('end\n', 0) });
});

test('a script that was cut off is not started, and has no end mark', () => {
  const cutAt = TOKEN.length + 1 + 'echo one\n'.length;
  expect(send({ script: 'echo one\necho two\n', cutAt })).toMatchObject({ status: 125, stdout: MARKS.begin });
});

test('a script whose stdin was cut off is killed before it can take that for the end', () => {
  const script = 'cat >/dev/null; echo landed';
  const whole = { script, stdin: 'half a file' };
  expect(send(whole).stdout).toBe(marked('landed\n', 0));
  expect(send({ ...whole, cutAt: TOKEN.length + 1 + script.length + 2 + 4 }).stdout).toBe(MARKS.begin);
});

/** Has the time of the command be up now, and not while the machine is too busy to have begun it: what timeout(1) itself waits for. */
const TIME_IS_UP = 'kill -s ALRM $PPID';

test('ends the command at its time-out, with everything that it started, and without an end mark', () => {
  const script = `sleep 30 | cat & ${TIME_IS_UP}; wait; echo later`;
  expect(send({ script })).toMatchObject({ status: 124, stdout: MARKS.begin });
});

test('has a time-out in seconds, also in parts of one', () => {
  expect(send({ script: 'sleep 30', timeoutMs: 1500 }).status).not.toBe(0);
  expect(send({ script: 'exit 0', timeoutMs: 60_500 }).status).toBe(0);
});

test('a command that has something to do at its time-out is waited for', () => {
  const done = join(temporaryDirectory('time-out'), 'done');
  // It holds no output open: only its end can be waited for.
  const script = `trap 'sleep 0.2; : >${done}; exit 0' TERM; exec >/dev/null 2>&1; sleep 30 & ${TIME_IS_UP}; wait`;
  expect(send({ script })).toMatchObject({ status: 124, stdout: MARKS.begin });
  expect(existsSync(done)).toBe(true);
});

test('the token is no variable of the script, and in no argument or environment of its processes', () => {
  const script = 'set; tr "\\0" "\\n" </proc/$PPID/cmdline; cat /proc/$PPID/environ /proc/self/environ; set -x; :';
  const { stdout, stderr } = send({ script });
  expect(stdout).toContain('PATH=');
  for (const output of [stdout, stderr]) expect(output.split(TOKEN)).toHaveLength(3);
});

describe('the environment', () => {
  const hostile = {
    PATH: '/usr/bin:/bin',
    HOME: '/home/ops',
    USER: 'ops',
    ETCDCTL_ENDPOINTS: 'http://wrong:1',
    ETCDUTL_WRITE_OUT: 'json',
    KUBECONFIG: '/wrong',
    BASH_ENV: '/wrong',
    ENV: '/wrong',
    CDPATH: '/',
    IFS: '/',
    LC_ALL: 'de_DE.UTF-8',
    LANGUAGE: 'de',
    http_proxy: 'http://proxy.example:3128',
    HTTPS_PROXY: 'http://proxy.example:3128',
    'BASH_FUNC_etcdctl%%': '() { echo function; }',
  };

  test.each(['sh', 'bash'])('is the same whatever a login %s has', (shell) => {
    const { stdout } = send({ script: 'env | sort; umask', shell, env: hostile, before: 'umask 077; ' });
    const lines = stdout.split('\n').slice(1, -2);
    expect(lines.filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line))).toEqual([
      'HOME=/home/ops',
      'LC_ALL=C',
      'LOGNAME=',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'PROVISION_HTTP_PROXY=http://proxy.example:3128',
      'SHELL=/bin/sh',
      'USER=ops',
      '0022',
    ]);
  });
});

describe('as another user', () => {
  const GRANTED = 'abcdef';

  /** What a stand-in for sudo was given, and what came of the command. */
  function become(sudo: { readonly flags?: readonly string[]; readonly prompt?: string }): {
    readonly words: readonly string[];
    readonly stdout: string;
    readonly stderr: string;
  } {
    const directory = temporaryDirectory('sudo');
    const program = join(directory, 'my sudo');
    const lines = [`printf '%s\\n' "$@" >'${directory}/words'`, 'env >"$(dirname "$0")/env"'];
    writeFileSync(program, `#!/bin/sh\n${lines.join('\n')}\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n`, {
      mode: 0o755,
    });
    const line = remoteCommandLine({
      scriptBytes: 6,
      stdinBytes: 0,
      timeoutMs: 60_000,
      sudo: { user: 'etcd', program, granted: GRANTED, ...sudo },
    });
    const { stdout, stderr } = spawnSync('sh', ['-c', line], {
      input: remotePayload(TOKEN, Buffer.from('echo x'), Buffer.alloc(0)),
      encoding: 'utf8',
      cwd: scratch(),
      env: { ...process.env, LC_ALL: 'de_DE.UTF-8', PATH: '/usr/bin:/bin' },
    });
    expect(readFileSync(join(directory, 'env'), 'utf8')).toContain('LC_ALL=C\n');
    return { words: readFileSync(join(directory, 'words'), 'utf8').split('\n'), stdout, stderr };
  }

  test('is asked of sudo without a password, and says when it was let in', () => {
    const { words, stdout, stderr } = become({});
    expect(words.slice(0, 5)).toEqual(['-H', '-n', '-u', 'etcd', '--']);
    expect([stdout, stderr]).toEqual([marked('x\n', 0), `${GRANTED}\n${marked('', 0)}`]);
  });

  test('with one, sudo reads it from stdin each time, at a prompt of ours, and has its own flags', () => {
    const { words } = become({ flags: ['-E', '-g', 'a b'], prompt: 'pass: ' });
    expect(words.slice(0, 10)).toEqual(['-E', '-g', 'a b', '-k', '-S', '-p', 'pass: ', '-u', 'etcd', '--']);
  });
});

test('apt gets the proxies that the host has, under their own names, and no others', () => {
  const hosts = { PATH: '/usr/bin:/bin', http_proxy: 'http://a:1', https_proxy: 'http://b:2', no_proxy: 'c' };
  const { stdout } = send({ script: `${withAptProxies()} env`, env: hosts });
  const proxies = stdout.split('\n').filter((line) => line.includes('proxy='));
  expect(proxies.sort()).toEqual(['http_proxy=http://a:1', 'https_proxy=http://b:2', 'no_proxy=c']);
  expect(send({ script: `${withAptProxies()} env`, env: { PATH: '/usr/bin:/bin' } }).stdout).not.toContain('proxy');
});
