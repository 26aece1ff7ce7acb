import { expect, test } from '@jest/globals';
import { whatFailed } from '../../support/tally-reporter.mjs';

const failed = (fullName: string, failureMessages: readonly string[]): object => ({
  fullName,
  status: 'failed',
  failureMessages,
});

test('each failed test is reported in a few lines without colours, a file that could not run by its error, and what passed not at all', () => {
  const long = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n\n');
  const lines = whatFailed(
    {
      testResults: [
        {
          testFilePath: '/here/tests/e2e/one.test.ts',
          testResults: [
            { fullName: 'well', status: 'passed', failureMessages: [] },
            failed('of one', ['\u001b[31mExpected\u001b[39m: 1\n\nReceived: 2']),
            failed('long', [long]),
          ],
        },
        {
          testFilePath: '/here/tests/unit/two.test.ts',
          testExecError: { message: 'no such module' },
          testResults: [],
        },
      ],
    },
    '/here',
  );
  expect(lines.slice(0, 4)).toEqual([
    'FAILED tests/e2e/one.test.ts: of one',
    '    Expected: 1',
    '    Received: 2',
    'FAILED tests/e2e/one.test.ts: long',
  ]);
  expect(lines.slice(4, 12)).toEqual(Array.from({ length: 8 }, (_, index) => `    line ${index}`));
  expect(lines.slice(12)).toEqual(['FAILED tests/unit/two.test.ts', '    no such module']);
});
