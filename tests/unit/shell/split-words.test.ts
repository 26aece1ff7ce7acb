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

test.each([`a 'b`, `"a`, 'a\\'])('refuses %j', (text) => {
  expect(() => splitWords(text)).toThrow('is not closed');
});
