import { expect, test } from '@jest/globals';
import { tooDeepAt } from '../../../src/model/nesting.js';

test.each([
  ['brackets', 'a: ' + '['.repeat(201), { line: 1, column: 204 }],
  ['braces over lines', '{\n'.repeat(300), { line: 201, column: 1 }],
  ['indents', [...Array(300).keys()].map((level) => `${' '.repeat(level)}a:\n`).join(''), { line: 201, column: 201 }],
  ['dashes', `${'- '.repeat(300)}x`, { line: 1, column: 601 }],
])('too deep by %s', (_, text, place) => {
  expect(tooDeepAt(text)).toEqual(place);
});

test.each([
  ['a long list', '- [a, { b: c }]\n'.repeat(5000)],
  ['nested as people do', 'a:\n  b:\n    - c\n    - d: { e: [f] }\n'.repeat(1000)],
  ['a long text', `a: |\n${'  {{ x }} ]] }}\n'.repeat(1000)}`],
  ['an indented block after another', `${'  '.repeat(50)}x\na\n`.repeat(300)],
])('%s is not', (_, text) => {
  expect(tooDeepAt(text)).toBeUndefined();
});
