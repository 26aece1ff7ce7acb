import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ERROR_AREAS, ERROR_CODES } from '../../../src/model/error-codes.js';

/** The sources, without the table. */
const SOURCES = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith(join('model', 'error-codes')))
  .map((file) => readFileSync(join('src', file), 'utf8'))
  .join('\n');

/** The codes of a table that no error of the sources has. */
function unused(codes: Iterable<string>): readonly string[] {
  return [...codes].filter((code) => !new RegExp(`\\bcode: [^,;\\n]*'${code}'`).test(SOURCES));
}

describe('the table of error codes', () => {
  test('every code of it is used', () => {
    expect(unused(Object.keys(ERROR_CODES))).toEqual([]);
  });

  test('a planted code that nobody uses would be found', () => {
    expect(unused([...Object.keys(ERROR_CODES), 'quorum-at-rest', 'ERR_SCRIPT_EXECUTION_TIMEOUT'])).toEqual([
      'quorum-at-rest',
      'ERR_SCRIPT_EXECUTION_TIMEOUT',
    ]);
  });

  test('each is in one area only', () => {
    const all = ERROR_AREAS.flatMap(({ codes }) => Object.keys(codes));
    expect(all.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  test.each(Object.entries(ERROR_CODES))('%s says why, and what next, in sentences', (code, { why, next }) => {
    expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
    expect(why).toMatch(/^(?:[A-Z]|sudo ).{20,}[.)]$/);
    expect(next).toMatch(/^(?:[A-Z]|`).{10,}[.`]$/);
    expect(why).not.toBe(next);
  });
});

/** Compiles only while another word is no code. */
const NO_OTHER_WORD: 'quorum-at-rest' extends keyof typeof ERROR_CODES ? never : true = true;

test('another word does not compile as a code', () => {
  expect(NO_OTHER_WORD).toBe(true);
});
