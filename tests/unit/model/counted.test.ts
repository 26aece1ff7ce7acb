import { expect, test } from '@jest/globals';
import { counted } from '../../../src/model/counted.js';

test.each([
  [counted(1, 'host'), '1 host'],
  [counted(0, 'host'), '0 hosts'],
  [counted(1, 'entry'), '1 entry'],
  [counted(4, 'entry'), '4 entries'],
  [counted(2, 'day'), '2 days'],
  [counted(2, 'batch', 'batches'), '2 batches'],
])('%s', (text, expected) => {
  expect(text).toBe(expected);
});
