import { describe, expect, test } from '@jest/globals';
import { WholeFloat } from '../../../src/model/python-value.js';
import { parsePythonLiteral } from '../../../src/ansible/python-literal.js';

describe('parsePythonLiteral', () => {
  // What ast.literal_eval of Python 3.11 gives.
  test.each([
    ['5', 5],
    ['5 # comment', 5],
    ['-5', -5],
    ['+5', 5],
    ['0x1F', 31],
    [`"a'''b"`, "a'''b"],
    [`'''a'b'''`, "a'b"],
    ['0o17', 15],
    ['0b11', 3],
    ['1_000', 1000],
    ['1e3', new WholeFloat(1000)],
    ['1.', new WholeFloat(1)],
    ['.5', 0.5],
    ['09.5', 9.5],
    ['00', 0],
    ['True', true],
    ['None', null],
    ["'a' 'b'", 'ab'],
    ["u'x'", 'x'],
    [String.raw`r'\n'`, String.raw`\n`],
    [String.raw`'\n\x41\u00e9\q'`, '\nAé\\q'],
    ["'''x'''", 'x'],
    ['(1)', 1],
    ['(1,)', [1]],
    ['()', []],
    ['1, 2', [1, 2]],
    ['[1, [2], ]', [1, [2]]],
    [
      "{'a': 1, 'b': [True],}",
      new Map<string, unknown>([
        ['a', 1],
        ['b', [true]],
      ]),
    ],
    ['{1: 2}', new Map([['1', 2]])],
    ['{}', new Map()],
  ])('%s', (text, value) => {
    expect(parsePythonLiteral(text)).toStrictEqual({ value });
  });

  test.each([
    '',
    '010',
    'true',
    'abc',
    '1.2.3',
    '--5',
    "-'a'",
    '5;',
    '[1',
    '1__0',
    '1j',
    "f'x'",
    '{1: [}',
    '[,]',
    'Trueish',
    '"""t"',
    "b's''s'",
    "ur's'",
  ])('%s is no literal', (text) => {
    expect(parsePythonLiteral(text)).toBeUndefined();
  });

  test('nesting has an end', () => {
    expect(parsePythonLiteral('['.repeat(50_000))).toBeUndefined();
  });
});
