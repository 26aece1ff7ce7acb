import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { variablesPage } from '../../support/variables-page.js';

const PAGE = 'docs/reference/variables.md';

test('the committed page of variables is current', () => {
  const page = variablesPage();
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});
