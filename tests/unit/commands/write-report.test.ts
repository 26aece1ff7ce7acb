import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { exitAfterReport } from '../../../src/commands/write-report.js';
import { EXIT } from '../../../src/model/errors.js';
import { verbContext } from '../../support/verb-context.js';

const refused = (): Promise<void> => Promise.reject(new Error('no space left on device'));

test.each([
  ['what succeeded fails where its report is not written', EXIT.done, refused, EXIT.failed],
  ['how it failed stays', EXIT.unreachable, refused, EXIT.unreachable],
  ['a report that is written changes nothing', EXIT.done, () => Promise.resolve(), EXIT.done],
  ['none changes nothing', EXIT.stale, undefined, EXIT.stale],
])('%s', async (_, code, write, expected) => {
  const stream = new PassThrough();
  const context = verbContext(stream, [], {});
  expect(await exitAfterReport(code, write, context)).toBe(expected);
  const said = String(stream.read() ?? '');
  expect(said).toBe(write === refused ? 'error: no space left on device\n' : '');
});
