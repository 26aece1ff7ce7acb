import { expect, test } from '@jest/globals';
import { expectGolden } from '../../../support/golden.js';
import { telemetryPage } from '../../../support/telemetry-page.js';

test('the page of telemetry has every attribute and every metric', () => {
  expectGolden('docs/reference/telemetry.md', telemetryPage());
  expect(telemetryPage()).not.toContain('undefined');
});
