import { expect, test } from '@jest/globals';
import { RunError } from '../../../src/engine/run-error.js';
import { ProvisionError } from '../../../src/model/errors.js';

function failure(host: string, message: string, hint?: string) {
  return { host, error: new ProvisionError({ code: 'x', message, hint }) };
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
});
