import { existsSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const REPORTER = '../../support/tally-reporter.mjs';
const made: string[] = [];

test('a directory that is still there is found by the run that made it, and by no other', async () => {
  const { leftBehind } = (await import(REPORTER)) as { readonly leftBehind: (run: string) => readonly string[] };
  const directory = temporaryDirectory('planted');
  made.push(directory);
  const run = process.env['PROVISION_TEST_RUN'] ?? 'alone';
  expect(leftBehind(run)).toContain(directory);
  for (const other of [`${run}0`, run.slice(0, -1)]) expect(leftBehind(other)).not.toContain(directory);
});

afterAll(() => {
  // Hooks of a test file run before its directories go: servers may still use them.
  expect(made.every((directory) => existsSync(directory))).toBe(true);
});
