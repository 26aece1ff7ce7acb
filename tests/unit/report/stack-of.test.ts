import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { transformSync } from 'esbuild';
import { stackOf } from '../../../src/report/stack-of.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** An error whose stack goes through a file of a build. @param column from 1, of the word `two` in it */
function thrownAt(file: string, line: number, column: number): Error {
  const error = new Error('planted');
  const place = `${pathToFileURL(file).href}:${line}:${column}`;
  error.stack = `Error: planted\n    at two (${place})\n    at ${place}\n    at node:internal/process/task_queues:95:5`;
  return error;
}

function built(directory: string): { readonly file: string; readonly line: number; readonly column: number } {
  const file = join(directory, 'part.js');
  const { code, map } = transformSync('interface Gone {\n  readonly a: 1;\n}\n\n  two();\n', {
    ...{ loader: 'ts', sourcemap: true, sourcefile: '../../src/engine/some.ts' },
  });
  writeFileSync(file, code);
  writeFileSync(`${file}.map`, map);
  return { file, line: 1, column: 1 };
}

test('places of a build become those of its sources, and others stay', () => {
  const { file, line, column } = built(temporaryDirectory('stack'));
  expect(
    stackOf(thrownAt(file, line, column))
      .split('\n')
      .slice(1),
  ).toEqual([
    '    at two (src/engine/some.ts:5:3)',
    '    at src/engine/some.ts:5:3',
    '    at node:internal/process/task_queues:95:5',
  ]);
});

test.each([
  ['no map', undefined],
  ['a map that is none', 'map\n'],
])('where there is %s, the stack is as it was', (_, map) => {
  const file = join(temporaryDirectory('stack'), 'other.js');
  if (map !== undefined) writeFileSync(`${file}.map`, map);
  const error = thrownAt(file, 1, 1);
  expect(stackOf(error)).toBe(error.stack);
});

test('an error without a stack says its message', () => {
  const error = new Error('planted');
  delete error.stack;
  expect(stackOf(error)).toBe('planted');
});
