import { expect, test } from '@jest/globals';
import { manifestDocument } from '../../../src/facts/manifest-document.js';

const manifest = (name: string): string => `metadata: { name: ${name} }\n`;

test('a text is parsed once, and no other one is taken for it', () => {
  const first = manifestDocument(manifest('a'));
  expect(manifestDocument(manifest('a'))).toBe(first);
  expect(manifestDocument(manifest('b')).toJS()).toEqual({ metadata: { name: 'b' } });
  expect(first.toJS()).toEqual({ metadata: { name: 'a' } });
});

test('those of a whole fleet are not kept', () => {
  const first = manifestDocument(manifest('first'));
  for (let index = 0; index < 64; index += 1) manifestDocument(manifest(`of-${index}`));
  expect(manifestDocument(manifest('first'))).not.toBe(first);
});
