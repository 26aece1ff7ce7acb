import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { createProgram } from '../../../src/commands/program.js';
import { ERROR_CODES } from '../../../src/model/error-codes.js';
import { wayToExplain } from '../../../src/report/way-to-explain.js';
import { verbContext } from '../../support/verb-context.js';

async function explain(...codes: readonly string[]): Promise<string> {
  const out = new PassThrough();
  const context = verbContext(out, ['explain', ...codes], {});
  await (await createProgram(context)).parseAsync(['explain', ...codes], { from: 'user' });
  out.end();
  return text(out);
}

describe('provision explain', () => {
  test('says why, what to do next, and where more is', async () => {
    expect(await explain('quorum-at-risk')).toMatch(
      /^quorum-at-risk\n {2}why {3}A change would .*\n {2}next {2}Make .*\n {2}exit {2}6, unsafe\n {2}page {2}docs\/reference\/errors\.md#quorum-at-risk\n$/,
    );
  });

  test('takes several codes, as a run prints them', async () => {
    expect((await explain('locked', 'UNREACHABLE')).match(/^[a-z].*$/gm)).toEqual(['locked', 'unreachable']);
  });

  test('without a code, lists all', async () => {
    const listed = [...(await explain()).matchAll(/^ {2}(\S+) {2,}\S/gm)].map(([, code]) => code);
    expect(listed.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  test.each([
    ['unreachabel', /no error code unreachabel; near it: unreachable, /],
    ['quorum', /near it: quorum-there, quorum-at-risk/],
    ['constructor', /no error code constructor/],
  ])('%s: names the nearest codes', async (given, message) => {
    await expect(explain(given)).rejects.toMatchObject({
      code: 'unknown-code',
      message: expect.stringMatching(message) as unknown,
      hint: 'list them with: provision explain',
    });
  });
});

test('an error names the command that explains it, once for all failures, and not where its message says it all', () => {
  expect(wayToExplain(['locked', undefined, 'unreachable', 'locked', 'declined'])).toEqual([
    'provision explain locked unreachable',
  ]);
  expect(wayToExplain([undefined, 'interrupted', 'input-invalid', 'unknown-run'])).toEqual([]);
});
