// Jest transform: TypeScript to ESM with esbuild. Types are checked by `tsc`, not here.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { transformSync, version } from 'esbuild';

const itself = readFileSync(new URL(import.meta.url));

const cacheKey = (source, file) =>
  [source, file, version, itself]
    .reduce((hash, part) => hash.update(part).update('\0'), createHash('sha256'))
    .digest('hex');

/**
 * Jest fails where two `import()` at once share a module: "request for X is from a module not been linked"
 * (jestjs/jest#11434). Node's own loader has no such fault. So one waits for the other here.
 */
const importsInTurn = ({ code, map }) => ({
  map,
  code: code.replaceAll(
    /\bimport\(("(?:[^"\\]|\\.)*")\)/g,
    '(globalThis.lastImport = Promise.allSettled([globalThis.lastImport]).then(() => import($1)))',
  ),
});

export default {
  process(source, file) {
    // A map in the code itself is three quarters of it, and V8 would read it for each test file again.
    const options = { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'external', sourcefile: file };
    return importsInTurn(transformSync(source, options));
  },
  getCacheKey: cacheKey,
};
