import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { buildInto } from '../support/loaded-modules.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('a bug says where it is in src/, whatever the build made of that', async () => {
  const verb = 'commands/explain.ts';
  const before = readFileSync(`src/${verb}`, 'utf8').split('\n').length;
  const { main } = await buildInto(temporaryDirectory('bug'), {
    file: verb,
    lines: "function planted(): never {\n  throw new TypeError('planted');\n}\n\nplanted();\n",
  });
  const { status, stderr } = spawnSync(process.execPath, [main, 'explain', 'unreachable'], { encoding: 'utf8' });
  expect(status).toBe(1);
  const [said, ...places] = stderr.split('\n');
  expect(said).toBe('TypeError: planted');
  expect(places[0]).toBe(`    at planted (src/${verb}:${before + 2}:9)`);
  expect(places[1]).toBe(`    at src/${verb}:${before + 5}:1`);
  expect(stderr).not.toContain('dist/');
});
