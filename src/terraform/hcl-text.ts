/** What HCL writes with an escape of one letter (HCL native syntax, "Quoted template expressions"). */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/**
 * A text as an HCL string that means exactly it: nothing of it is a template. `$` and `%` before `{` are written by their code
 * points, for doubled ones mean something else in a row of them.
 */
export function hclText(text: string): string {
  const written = text.replaceAll(/["\\]|[$%](?=\{)|[\p{Cc}\p{Cs}\u2028\u2029\ufeff]/gu, (character) => {
    return LETTERS.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${written}"`;
}

/** Attributes one below the other, with their `=` aligned as `terraform fmt` does. @param indent of each line */
export function hclAttributes(entries: readonly (readonly [key: string, value: string])[], indent: string): string {
  const widest = Math.max(0, ...entries.map(([key]) => widthOf(key)));
  return entries.map(([key, value]) => `${indent}${key}${' '.repeat(widest - widthOf(key))} = ${value}\n`).join('');
}

const SEGMENTS = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** `terraform fmt` counts what a person sees as one character. */
function widthOf(text: string): number {
  return [...SEGMENTS.segment(text)].length;
}
