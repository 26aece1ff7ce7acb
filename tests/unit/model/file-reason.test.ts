import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { fileReason } from '../../../src/model/file-reason.js';

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

test.each([
  [thrownBy(() => readFileSync('/nowhere/a, b')), 'no such file or directory (ENOENT)'],
  [thrownBy(() => readFileSync('/')), 'illegal operation on a directory (EISDIR)'],
  [new RangeError('it holds more than 1,024 bytes'), 'it holds more than 1,024 bytes'],
  [new Error('Error: a, b'), 'Error: a, b'],
  ['a text', 'a text'],
])('%# the path is left out, and nothing else', (cause, reason) => {
  expect(fileReason(cause)).toBe(reason);
});
