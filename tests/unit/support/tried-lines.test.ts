import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { plant } from '../../mutation/mutant.js';
import { invariantRows, notesOf, readTried, readTriedByHand, slipOf, type Tried } from '../../mutation/tried-lines.js';

const TRIED = readTried();
/** Lower it when one of them gets a line of tried.yaml. */
const MOST_BY_HAND = 55;
const LINE: Tried = {
  ...{ invariant: 'One operator', says: 'half of them', file: 'src/a.ts', test: 'unit/a.test.ts' },
  ...{ was: 'a > b', became: 'a >= b' },
};

describe('a wrong line that is tried', () => {
  test('is planted where the right one stands', () => {
    const text = 'return a > b;';
    expect(plant(text, slipOf(LINE, text))).toBe('return a >= b;');
  });

  test.each([
    ['stands there no more', 'return a < b;', 'src/a.ts has no "a > b" (One operator: half of them)'],
    ['stands there twice', 'a > b || a > b', 'src/a.ts has more than one "a > b"'],
  ])('is an error where the right one %s', (_, text, message) => {
    expect(() => slipOf(LINE, text)).toThrow(message);
  });
});

describe('tried.yaml', () => {
  test.each(TRIED)('$invariant: $says: names a line that stands once, and a test', (tried) => {
    expect(slipOf(tried, readFileSync(tried.file, 'utf8')).was).not.toBe(tried.became);
    expect(existsSync(`tests/${tried.test}`)).toBe(true);
  });

  test('is what the rows of invariants say was tried', () => {
    const rows = invariantRows();
    const wrong = TRIED.filter(({ invariant, says, test: file }) => {
      const [row, ...more] = rows.filter(({ title }) => title.startsWith(invariant));
      return row === undefined || more.length > 0 || !row.text.includes(says) || !row.text.includes(basename(file));
    });
    expect(wrong).toEqual([]);
  });

  test('has a wrong line for each row, or it was tried by hand', () => {
    const untried = invariantRows().filter((row) => notesOf(row).length === 0);
    expect(untried.map(({ title }) => title)).toEqual([]);
    expect(notesOf({ title: 'a', text: 'a: b; unit: b.test.ts; e2e: c.test.ts.' })).toEqual([]);
  });

  test('has all that rows say was tried, but for what was tried by hand before there was this list: that only shrinks', () => {
    const isIn = (some: readonly Pick<Tried, 'invariant' | 'says'>[], title: string, note: string): boolean =>
      some.some(({ invariant, says }) => title.startsWith(invariant) && note === says);
    const notes = invariantRows().flatMap((row) => notesOf(row).map((note) => ({ title: row.title, note })));
    const byHand = readTriedByHand();
    expect(notes.filter(({ title, note }) => !isIn(TRIED, title, note) && !isIn(byHand, title, note))).toEqual([]);
    expect(byHand.filter((each) => !notes.some(({ title, note }) => isIn([each], title, note)))).toEqual([]);
    expect(byHand.filter(({ invariant, says }) => isIn(TRIED, invariant, says))).toEqual([]);
    expect(byHand.length).toBeLessThanOrEqual(MOST_BY_HAND);
  });
});
