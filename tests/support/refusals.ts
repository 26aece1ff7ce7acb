import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from '@jest/globals';
import { ProvisionError } from '../../src/model/errors.js';

/** What is said of one case. */
interface Words {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** How often each test of this file has asked. */
const asked = new Map<string, number>();

function wordsIn(file: string): Readonly<Record<string, Words>> {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Words>) : {};
}

function write(file: string, words: Readonly<Record<string, Words>>): void {
  mkdirSync(dirname(file), { recursive: true });
  const sorted = Object.fromEntries(Object.entries(words).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

/**
 * Expects that something is refused with a code, and with just the words that `fixtures/refusals/` has for the test: whom it is
 * about, what was found, and what to type next. `UPDATE_GOLDEN=1` writes them anew: read their diff before committing it.
 * @param refused a plan, or what decides at once
 */
export async function expectRefused(refused: Promise<unknown> | (() => unknown), code: string): Promise<void> {
  const error = await (typeof refused === 'function' ? Promise.resolve().then(refused) : refused).then(
    () => 'nothing is refused',
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProvisionError)) throw error instanceof Error ? error : new Error(String(error));
  const { currentTestName: test = '', testPath = '' } = expect.getState();
  const before = asked.get(test) ?? 0;
  asked.set(test, before + 1);
  const name = before === 0 ? test : `${test}, ${before + 1}`;
  const file = join('fixtures/refusals', `${basename(testPath, '.test.ts')}.json`);
  const words = { code: error.code, message: error.message, hint: error.hint };
  if (process.env['UPDATE_GOLDEN']) write(file, { ...wordsIn(file), [name]: words });
  expect(error.code).toBe(code);
  expect({ [name]: JSON.parse(JSON.stringify(words)) as Words }).toEqual({ [name]: wordsIn(file)[name] });
}
