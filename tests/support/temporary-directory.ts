import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

const made: string[] = [];

function removeAll(): void {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

// Hooks run in the order in which they are defined: this one after those of the test file, which end what still uses its
// directories. A file's modules are evaluated in one go, this one first; then the microtask, then the tests.
queueMicrotask(() => {
  afterAll(removeAll);
});

/**
 * Makes a directory that is gone after the test file, whatever happens in it. Its name has the run's number (room-runner.mjs
 * gives it), by which the run finds what was left behind (tally-reporter.mjs).
 * @param name what it is for
 * @returns its path, without links
 */
export function temporaryDirectory(name: string): string {
  const run = process.env['PROVISION_TEST_RUN'] ?? 'alone';
  const directory = mkdtempSync(join(realpathSync(tmpdir()), `provision-test-${run}-${name}-`));
  made.push(directory);
  return directory;
}
