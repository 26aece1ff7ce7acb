import { expect, test } from '@jest/globals';
import { splitWords } from '../../../src/ansible/shell-words.js';

// What Python's shlex.split(line, comments=True) gives, and where each word begins.
test.each<[string, readonly (readonly [text: string, column: number])[]]>([
  [
    'a b',
    [
      ['a', 1],
      ['b', 3],
    ],
  ],
  ['  x', [['x', 3]]],
  [
    'a\tb',
    [
      ['a', 1],
      ['b', 3],
    ],
  ],
  [
    String.raw`a\ b c`,
    [
      ['a b', 1],
      ['c', 6],
    ],
  ],
  [
    String.raw`"a\"b" c`,
    [
      ['a"b', 1],
      ['c', 8],
    ],
  ],
  [String.raw`"a\\b"`, [[String.raw`a\b`, 1]]],
  [String.raw`"a\nb"`, [[String.raw`a\nb`, 1]]],
  [String.raw`'a\b'`, [[String.raw`a\b`, 1]]],
  [String.raw`a\\`, [['a\\', 1]]],
  [String.raw`a\"b`, [['a"b', 1]]],
  [String.raw`a\#b`, [['a#b', 1]]],
  ['a#b c', [['a', 1]]],
  [
    "a '#' b",
    [
      ['a', 1],
      ['#', 3],
      ['b', 7],
    ],
  ],
  ["''", [['', 1]]],
  ['a"b c"d', [['ab cd', 1]]],
  [
    `"a'b" 'c"d'`,
    [
      ["a'b", 1],
      ['c"d', 7],
    ],
  ],
  ['', []],
])('%j', (line, words) => {
  expect(splitWords(line).map(({ text, column }) => [text, column])).toEqual(words);
});

test.each([
  ['a\\', 'No escaped character'],
  ["'a", 'No closing quotation'],
  ['"a', 'No closing quotation'],
  [String.raw`"a\"`, 'No closing quotation'],
])('%j is refused', (line, message) => {
  expect(() => splitWords(line)).toThrow(message);
});
