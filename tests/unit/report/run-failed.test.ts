import { describe, expect, test } from '@jest/globals';
import { RunError } from '../../../src/engine/run-error.js';
import { InputError, ProvisionError, RemoteError } from '../../../src/model/errors.js';
import { failureAsJson, runFailed } from '../../../src/report/run-failed.js';

const remote = new RemoteError({
  code: 'command-failed',
  host: 'etcd-2',
  command: 'restart etcd',
  status: 1,
  message: 'etcd-2: restart etcd: ended with status 1',
  output: 'Job failed.\nSee journal.',
  hint: 'journalctl -u etcd',
});

describe('runFailed', () => {
  test('names every host, with the command and its last output', () => {
    const other = new ProvisionError({ code: 'gate-not-open', message: 'gate x did not open' });
    const error = new RunError('play etcd stopped', [
      { host: 'etcd-2', error: remote },
      { host: undefined, error: other },
    ]);
    expect(runFailed(error)).toEqual({
      type: 'run-failed',
      kind: 'failed',
      message: 'play etcd stopped',
      failures: [
        {
          host: 'etcd-2',
          code: 'command-failed',
          message: 'etcd-2: restart etcd: ended with status 1\nJob failed.\nSee journal.',
        },
        { host: undefined, code: 'gate-not-open', message: 'gate x did not open' },
      ],
      hint: 'journalctl -u etcd',
    });
  });

  test('an error that is no RunError is the run itself, or its host', () => {
    expect(runFailed(remote).failures).toEqual([
      {
        host: 'etcd-2',
        code: 'command-failed',
        message: 'etcd-2: restart etcd: ended with status 1\nJob failed.\nSee journal.',
      },
    ]);
    const lock = new ProvisionError({ code: 'locked', message: 'another run holds the lock' });
    expect(runFailed(lock).failures).toEqual([
      { host: undefined, code: 'locked', message: 'another run holds the lock' },
    ]);
  });

  test('wrong input keeps its code, and a bug has none', () => {
    const input = new InputError([{ severity: 'error', subject: 'etcd_port', message: 'is no port' }]);
    expect(runFailed(input).failures).toEqual([{ code: 'input-invalid', message: 'etcd_port: is no port' }]);
    expect(runFailed(new TypeError('x is not a function')).failures[0]?.code).toBeUndefined();
  });

  test('a bug is named as one', () => {
    expect(runFailed(new TypeError('x is not a function'))).toMatchObject({
      failures: [{ message: 'x is not a function' }],
      hint: expect.stringContaining('bug') as unknown,
    });
  });
});

test('a program that reads JSON gets an error as JSON, safe to look at', () => {
  const text = failureAsJson(
    new ProvisionError({ code: 'unreadable', message: 'no such file: \u001b[2J', hint: 'type it again' }),
  );
  expect(JSON.parse(text)).toEqual({
    formatVersion: 1,
    failed: {
      kind: 'failed',
      message: 'stopped',
      failures: [{ host: null, code: 'unreadable', message: 'no such file: \u001b[2J' }],
      hint: 'type it again',
    },
  });
  expect(text).not.toContain('\u001b');
  expect(JSON.parse(failureAsJson(remote))).toMatchObject({ failed: { failures: [{ host: 'etcd-2' }] } });
});
