import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openHealthReporting } from '../../../src/commands/health-reporting.js';
import { ProvisionError } from '../../../src/model/errors.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

test('a health check that an error ends leaves no report of an earlier one, which was good', async () => {
  const file = join(temporaryDirectory('health-reporting'), 'r.xml');
  const reporting = async () => openHealthReporting('hosts.yaml', [file]);
  await (await reporting()).write({ items: [{ check: 'clock', verdict: 'ok', evidence: 'well' }] });
  expect(readFileSync(file, 'utf8')).toContain('failures="0"');
  await (await reporting()).fail(new ProvisionError({ code: 'interrupted', message: 'stopped <here>' }));
  const xml = readFileSync(file, 'utf8');
  expect(xml).toContain('message="stopped &lt;here&gt;"');
  expect(xml).not.toContain('well');
  expect(xml).toMatch(/<testsuites [^>]*failures="2"/);
});
