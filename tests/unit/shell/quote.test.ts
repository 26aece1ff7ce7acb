import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { quote } from '../../../src/shell/quote.js';

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
