// The transform of the tests, on the instrumented text where a file has one.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import plain from '../support/esbuild-transform.mjs';

const root = new URL('../..', import.meta.url).pathname;

function instrumented(source, file) {
  const path = join(process.env.MUTATION_WORK, 'sources', relative(root, file));
  return existsSync(path) ? readFileSync(path, 'utf8') : source;
}

export default {
  process: (source, file) => plain.process(instrumented(source, file), file),
  getCacheKey: (source, file) => plain.getCacheKey(instrumented(source, file), file),
};
