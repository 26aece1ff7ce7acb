import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expect } from '@jest/globals';

/**
 * Expects a text to be what a file of the repository holds. `UPDATE_GOLDEN=1 npm run -s test:unit` writes the files anew:
 * read their diff before committing it.
 * @param file from the top of the repository
 */
export function expectGolden(file: string, actual: string): void {
  const path = resolve(file);
  if (process.env['UPDATE_GOLDEN']) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  expect(actual).toBe(readFileSync(path, 'utf8'));
}
