import { expect, test } from '@jest/globals';
import { firstLine } from '../../../src/model/first-line.js';

test.each([
  ['one', 'one'],
  ['one\ntwo\nthree', 'one'],
  ['\ntwo', ''],
  ['', ''],
])('of %j: %j', (text, line) => {
  expect(firstLine(text)).toBe(line);
});
