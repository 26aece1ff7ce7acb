import { expect, test } from '@jest/globals';
import { terminalSize } from '../../../src/report/terminal-size.js';

test.each([
  ['says', { columns: 132, rows: 50 }, { columns: 132, rows: 50 }],
  ['is a serial line', { columns: 0, rows: 0 }, { columns: 80, rows: 24 }],
  ['is none', {}, { columns: 80, rows: 24 }],
])('the size of a stream that %s', (_, stream, size) => {
  expect(terminalSize(stream)).toEqual(size);
});
