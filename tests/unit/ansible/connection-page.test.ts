import { test } from '@jest/globals';
import { connectionPage } from '../../support/connection-page.js';
import { expectGolden } from '../../support/golden.js';

test('docs/reference/connection.md is what the table says', () => {
  expectGolden('docs/reference/connection.md', connectionPage());
});
