import { readdirSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Directories that the test files of a run made (temporary-directory.ts) and that are still there. */
export function leftBehind(run) {
  const place = realpathSync(tmpdir());
  return readdirSync(place)
    .filter((name) => name.startsWith(`provision-test-${run}-`))
    .map((name) => join(place, name));
}

// The last line of a test run, the same for every reader, below the runner's own summary: a skipped test is never counted
// as passed, and a file that could not run has failed. A run that leaves directories behind fails.
export default class TallyReporter {
  #left = [];

  constructor() {
    // Read by temporary-directory.ts, here or in a worker.
    process.env.PROVISION_TEST_RUN = String(process.pid);
  }

  onRunComplete(_, { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites }) {
    this.#left = leftBehind(process.env.PROVISION_TEST_RUN);
    for (const directory of this.#left) rmSync(directory, { recursive: true, force: true });
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const left = this.#left.map((directory) => `\nleft behind by a test file, removed now: ${directory}`).join('');
    const line = `${left}\n${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`;
    process.once('exit', () => writeSync(2, line));
  }

  /** What fails the run; jest does not print it. */
  getLastError() {
    return this.#left.length === 0 ? undefined : new Error(`left behind: ${this.#left.join(', ')}`);
  }
}
