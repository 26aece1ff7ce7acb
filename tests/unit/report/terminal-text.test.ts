import { describe, expect, test } from '@jest/globals';
import { fit, outputLines, printable, printableJson, printableText } from '../../../src/report/terminal-text.js';

describe('printable', () => {
  test.each([
    ['plain text, tabs and accents stay', 'a\tÄ…', 'a\tÄ…'],
    ['an escape becomes visible', '\u001b[2J', '␛[2J'],
    ['a carriage return becomes visible', 'safe\rrm -rf', 'safe␍rm -rf'],
    ['a C1 control sequence introducer', 'a\u009b2J', 'a\uFFFD2J'],
    ['a clipboard write (OSC 52)', '\u001b]52;c;cm0=\u0007', '␛]52;c;cm0=␇'],
    ['a line break, which would pose as a line of ours', 'x\n  → rm -rf /', 'x␊  → rm -rf /'],
    ['the ends of very long lines go', 'x'.repeat(4097), `${'x'.repeat(4096)}… (1 more characters)`],
    ['a right-to-left override', 'a\u202eb', 'a\uFFFDb'],
  ])('%s', (_name, line, expected) => {
    expect(printable(line)).toBe(expected);
  });
});

describe('printableText', () => {
  test.each([
    ['lines and our own colours stay', 'a\n\u001b[32mb\u001b[39m\n', 'a\n\u001b[32mb\u001b[39m\n'],
    ['other colours do not: hidden text', '\u001b[8mx\u001b[0m', '␛[8mx\u001b[0m'],
    ['cursor moves do not', 'a\u001b[2A\rb', 'a␛[2A␍b'],
    ['a clipboard write (OSC 52) does not', '\u001b]52;c;cm0=\u0007', '␛]52;c;cm0=␇'],
    ['nor one with C1 controls', '\u009d52;c;cm0=\u009c', '\uFFFD52;c;cm0=\uFFFD'],
    ['nor colours cut in two', '\u001b\u001b[32m[2J', '␛\u001b[32m[2J'],
  ])('%s', (_name, text, expected) => {
    expect(printableText(text)).toBe(expected);
  });
});

test('JSON is safe on a terminal, and means the same', () => {
  const value = { text: '\u009d52;c;cm0=\u009c \u202e ä \u001b', list: [1, '\u2028'] };
  for (const indent of [undefined, 2]) {
    const json = printableJson(value, indent);
    expect(json).not.toMatch(/[\u007f-\u009f\u2028\u202e\u001b]/);
    expect(JSON.parse(json)).toEqual(value);
  }
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
