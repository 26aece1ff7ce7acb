import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { yamlText } from '../../../src/adopt/yaml-text.js';
import { NASTY_TEXTS } from '../../support/nasty-texts.js';
import { hostOf, loadFiles } from '../../support/write-inventory.js';

/** The texts as they are read from a file of variables that was written so. */
async function readBack(texts: readonly string[]): Promise<readonly unknown[]> {
  const lines = texts.map((text, index) => `v${index}: ${yamlText(text)}\n`);
  const inventory = await loadFiles({ hosts: 'a\n', 'host_vars/a.yaml': `---\n${lines.join('')}` });
  return texts.map((_, index) => hostOf(inventory, 'a').variables.get(`v${index}`));
}

test('what could be anything else is read back as the text that it was', async () => {
  expect(await readBack(NASTY_TEXTS)).toEqual(NASTY_TEXTS);
});

test('any text is read back as it was', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...Array.from('{}%#"\'\\: -\n\t!&*aA0.\u2028\u0085')), maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 50 }), async (texts) => {
      expect(await readBack(texts)).toEqual(texts);
    }),
    { numRuns: 50 },
  );
});

test('half a surrogate pair is refused: no YAML can hold it', () => {
  expect(() => yamlText('a\ud800')).toThrow('is not Unicode text');
});
