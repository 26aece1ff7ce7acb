import { describe, expect, test } from '@jest/globals';
import { failuresOf, RunError } from '../../../src/engine/run-error.js';
import { ProvisionError, RemoteError } from '../../../src/model/errors.js';

function failure(host: string | undefined, message: string, hint?: string) {
  return { host, error: new ProvisionError({ code: 'look-failed', message, hint }) };
}

test('tells what to do next about every failure, each thing once', () => {
  const error = new RunError('stopped', [
    failure('a', 'a: is full', 'ssh a df'),
    failure('b', 'b: is slow'),
    failure('c', 'c: is locked', 'wait'),
    failure('d', 'd: is locked', 'wait'),
  ]);
  expect(error.hint).toBe('ssh a df\nwait');
  expect(new RunError('stopped', [failure('b', 'b: is slow')]).hint).toBeUndefined();
  expect(new RunError('stopped', [failure('b', 'b: is slow')], 'begin again').hint).toBe('begin again');
  expect(new RunError('stopped', [failure('b', 'b: is slow', 'wait')], 'begin again').hint).toBe('wait');
});

describe('the message of a run that failed', () => {
  test('names each host once, and none where the run itself failed', () => {
    const failures = [
      failure('a', 'a: is full'),
      failure('b', 'is full'),
      failure(undefined, 'gate shut'),
      failure('c', 'by c:'),
    ];
    const error = new RunError('stopped', failures);
    expect(error.message).toBe('stopped\n  a: is full\n  b: is full\n  gate shut\n  c: by c:');
    expect(error.summary).toBe('stopped');
    expect(error.cause).toBe(failures[0]?.error);
  });

  test('shows what a command said last, line for line', () => {
    const output = 'one\ntwo\n\n';
    const error = new RemoteError({ code: 'command-failed', host: 'a', message: 'a: restart: ended', output });
    expect(new RunError('stopped', [{ host: 'a', error }]).message).toBe(
      'stopped\n  a: restart: ended\n    | one\n    | two',
    );
    const silent = new RemoteError({ code: 'command-failed', host: 'a', message: 'a: restart: ended' });
    expect(new RunError('stopped', [{ host: 'a', error: silent }]).message).toBe('stopped\n  a: restart: ended');
  });

  test('tells the same failure once, of several plays or of several hosts that asked the same third one', () => {
    const away = new RemoteError({ code: 'unreachable', host: 'c', message: 'c: no route' });
    const again = new RemoteError({ code: 'unreachable', host: 'c', message: 'c: no route' });
    const error = new RunError('stopped', [
      { host: 'a', error: away },
      { host: 'b', error: again },
      failure('a', 'is full'),
      failure('a', 'is full'),
      failure('b', 'is full'),
      failure(undefined, 'is full'),
    ]);
    expect(error.failures.map(({ host, error: { message } }) => `${host ?? '-'} ${message}`)).toEqual([
      'c c: no route',
      'a is full',
      'b is full',
      '- is full',
    ]);
    expect(error.failures[0]?.error).toBe(away);
  });

  test('tells what to do next as the first of two that are the same has it', () => {
    const failures = [failure('a', 'is full', 'ssh a df'), failure('a', 'is full', 'skip a')];
    expect(new RunError('stopped', failures).hint).toBe('ssh a df');
  });

  test('holds the failures of a run within a run', () => {
    const inner = new RunError('inner', [failure('a', 'is full'), failure('b', 'is slow')]);
    expect(failuresOf(inner, 'z')).toBe(inner.failures);
    expect(failuresOf('a text', 'z')).toEqual([{ host: 'z', error: new Error('a text') }]);
  });
});
