import { describe, expect, test } from '@jest/globals';
import { fit, outputLines, printable } from '../../../src/report/terminal-text.js';

describe('printable', () => {
  test.each([
    ['plain text, tabs and accents stay', 'a\tÄ…', 'a\tÄ…'],
    ['an escape becomes visible', '\u001b[2J', '␛[2J'],
    ['a carriage return becomes visible', 'safe\rrm -rf', 'safe␍rm -rf'],
    ['a C1 control sequence introducer', 'a\u009b2J', 'a\uFFFD2J'],
    ['a right-to-left override', 'a\u202eb', 'a\uFFFDb'],
  ])('%s', (_name, line, expected) => {
    expect(printable(line)).toBe(expected);
  });
});

describe('outputLines', () => {
  test.each([
    ['colours and titles go', '\u001b[31mred\u001b[0m\u001b]0;title\u0007', ['red']],
    ['progress bars are lines', '10 %\r20 %\r\ndone\n\n', ['10 %', '20 %', 'done']],
    ['a lone escape becomes visible', 'a\u0007', ['a␇']],
    ['nothing', '', []],
  ])('%s', (_name, text, expected) => {
    expect(outputLines(text)).toEqual(expected);
  });
});

describe('fit', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['e\u0301e\u0301e\u0301', 3, 'e\u0301e\u0301e\u0301'],
    ['a\tb', 3, 'a b'],
    ['abc', 1, '…'],
  ])('%j in %i columns', (line, columns, expected) => {
    expect(fit(line, columns)).toBe(expected);
  });
});
