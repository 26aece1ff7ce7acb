import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quote } from '../../../src/shell/quote.js';
import { splitWords } from '../../../src/shell/split-words.js';

test.each([
  ['plain', 'plain'],
  ['/etc/default/etcd', '/etc/default/etcd'],
  ['', "''"],
  ['two words', "'two words'"],
  ["it's", `'it'\\''s'`],
  ['~root', "'~root'"],
  ['$HOME `id` "x" \\', `'$HOME \`id\` "x" \\'`],
])('quotes %j', (text, quoted) => {
  expect(quote(text)).toBe(quoted);
});

test.each(["'", "''", 'a\nb', '*', '!x', '$(id)', '-n', 'ü€𝄞', '\t', '#', '=x', '{a,b}', "a'b'c"])(
  'sh reads %j back as it was',
  (text) => {
    expect(execFileSync('sh', ['-c', `printf %s ${quote(text)}`], { encoding: 'utf8' })).toBe(text);
  },
);

/** Any text that a command line can hold. */
const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\0'));

test('any words are read back as they were, by a shell and by our own splitter', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 200 }), (words) => {
      const line = words.map(quote).join(' ');
      expect(splitWords(line)).toEqual(words);
      const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
      expect(printed.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 20 },
  );
});
