import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { END_OF_PART, remoteCommandLine } from '../../../src/shell/remote-command.js';

interface Wire {
  readonly script: string;
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** How many bytes of what is sent get through; default: all. */
  readonly cutAt?: number;
}

/** Runs the command line as sshd does, and sends the parts. */
function send({ script, stdin = '', timeoutMs = 5000, cutAt }: Wire): SpawnSyncReturns<string> {
  const line = remoteCommandLine({
    scriptBytes: Buffer.byteLength(script),
    stdinBytes: Buffer.byteLength(stdin),
    timeoutMs,
  });
  const input = `${script}${END_OF_PART}${stdin === '' ? '' : stdin + END_OF_PART}`;
  return spawnSync('sh', ['-c', line], { input: Buffer.from(input).subarray(0, cutAt), encoding: 'utf8' });
}

test('runs the script and gives its status and both outputs', () => {
  expect(send({ script: 'echo out; echo err >&2; exit 3' })).toMatchObject({
    status: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('a script without stdin reads the end of file', () => {
  expect(send({ script: 'cat; echo end' })).toMatchObject({ status: 0, stdout: 'end\n' });
});

test('hands stdin to the script, without the end mark', () => {
  expect(send({ script: 'cat; exit 4', stdin: 'süß\n.\nno newline' })).toMatchObject({
    status: 4,
    stdout: 'süß\n.\nno newline',
  });
});

test('a script may leave its stdin unread', () => {
  expect(send({ script: 'echo done; exit 5', stdin: 'x'.repeat(1_000_000) })).toMatchObject({ status: 5, stderr: '' });
});

test('a script may be larger than one argument of execve', () => {
  expect(send({ script: `${'# filler\n'.repeat(40_000)}echo end` })).toMatchObject({ status: 0, stdout: 'end\n' });
});

test('a script that was cut off is not started', () => {
  const script = 'echo one\necho two\n';
  expect(send({ script, cutAt: Buffer.byteLength('echo one\n') })).toMatchObject({ status: 125, stdout: '' });
});

test('a script whose stdin was cut off is killed before it can take that for the end', () => {
  const script = 'cat >/dev/null; echo landed';
  const whole = { script, stdin: 'half a file' };
  expect(send(whole).stdout).toBe('landed\n');
  expect(send({ ...whole, cutAt: script.length + END_OF_PART.length + 4 }).stdout).toBe('');
});

test('ends the command at its time-out, with everything that it started', () => {
  expect(send({ script: 'sleep 30 | cat', timeoutMs: 100 }).status).toBe(124);
});
