import { expect, test } from '@jest/globals';
import { splitWords } from '../../../src/shell/split-words.js';

test.each([
  ['', []],
  ['  -J  bastion ', ['-J', 'bastion']],
  [`-o ProxyCommand="ssh -W %h:%p 'a b'"`, ['-o', `ProxyCommand=ssh -W %h:%p 'a b'`]],
  [`'it is' one`, ['it is', 'one']],
  [`a"b c"'d e'f`, ['ab cd ef']],
  [`"a \\"b\\" \\n"`, ['a "b" \\n']],
  ['a\\ b', ['a b']],
  [`'' x ""`, ['', 'x', '']],
])('splits %j as shlex does', (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

test.each([
  [`a 'b`, 3],
  [`"a`, 1],
  ['a\\', 2],
  [`'a' "b\\"`, 5],
])('refuses %j, whose quote at character %i is not closed', (text, at) => {
  expect(() => splitWords(text)).toThrow(`the quote at character ${at} is not closed: ${text}`);
});
