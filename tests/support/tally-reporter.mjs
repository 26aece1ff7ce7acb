import { writeSync } from 'node:fs';

// The last line of a test run, the same for every reader, below the runner's own summary: a skipped test is never counted
// as passed, and a file that could not run has failed.
export default class TallyReporter {
  onRunComplete(_, { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites }) {
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const line = `\n${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`;
    process.once('exit', () => writeSync(2, line));
  }
}
