import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { markup } from '../../../../src/report/page/markup.js';

test('a text stands in it as text, markup as markup', () => {
  const inner = markup`<b>${'<i>'}</b>`;
  const { markup: text } = markup`<p a="${`"'&`}">${[inner, 'x>', 3, undefined]}</p>`;
  expect(text).toBe('<p a="&quot;&#39;&amp;"><b>&lt;i&gt;</b>x&gt;3</p>');
});

test('has no character that XML 1.0 has not', () => {
  expect(markup`${'\u0000\u001b[31m\uD800\uFFFE\uFFFF\t\n😀\u202e'}`.markup).toBe(
    '␀␛[31m\uFFFD\uFFFD\uFFFD\t\n😀\uFFFD',
  );
  // The characters of XML 1.0, section 2.2.
  const allowed = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;
  expect(allowed.test('\u0001')).toBe(false);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { markup: shown } = markup`${text}`;
      return allowed.test(shown) && !/[<>"']/.test(shown);
    }),
  );
});
