import { readdirSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Directories that the test files of a run made (temporary-directory.ts) and that are still there. */
export function leftBehind(run) {
  const place = realpathSync(tmpdir());
  return readdirSync(place)
    .filter((name) => name.startsWith(`provision-test-${run}-`))
    .map((name) => join(place, name));
}

/** Lines of a failure that say what was expected, and what came. */
const LINES = 8;

/**
 * What failed, in a few lines each: whoever keeps only the end of a long output knows what it was.
 * @param results as jest gives them to a reporter
 */
export function whatFailed({ testResults }, root = process.cwd()) {
  const linesOf = (message) =>
    stripVTControlCharacters(message)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, LINES)
      .map((line) => `    ${line.slice(0, 300)}`);
  return testResults.flatMap(({ testFilePath, testExecError, testResults: tests }) => {
    const file = relative(root, testFilePath);
    const failed = tests.filter(({ status }) => status === 'failed');
    if (failed.length === 0 && testExecError) return [`FAILED ${file}`, ...linesOf(String(testExecError.message))];
    return failed.flatMap(({ fullName, failureMessages }) => [
      `FAILED ${file}: ${fullName}`,
      ...linesOf(failureMessages.join('\n')),
    ]);
  });
}

// The last lines of a test run, the same for every reader, below the runner's own summary: what failed, and a tally. A skipped test is never counted
// as passed, and a file that could not run has failed. A run that leaves directories behind fails.
export default class TallyReporter {
  #left = [];

  constructor() {
    // Read by temporary-directory.ts, here or in a worker.
    process.env.PROVISION_TEST_RUN = String(process.pid);
  }

  onRunComplete(_, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = results;
    this.#left = leftBehind(process.env.PROVISION_TEST_RUN);
    for (const directory of this.#left) rmSync(directory, { recursive: true, force: true });
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const left = this.#left.map((directory) => `\nleft behind by a test file, removed now: ${directory}`).join('');
    const told = whatFailed(results)
      .map((line) => `\n${line}`)
      .join('');
    const line = `${told}${left}\n${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`;
    process.once('exit', () => writeSync(2, line));
  }

  /** What fails the run; jest does not print it. */
  getLastError() {
    return this.#left.length === 0 ? undefined : new Error(`left behind: ${this.#left.join(', ')}`);
  }
}
