// Jest transform: TypeScript to ESM with esbuild. Types are checked by `tsc`, not here.
import { createHash } from 'node:crypto';
import { transformSync, version } from 'esbuild';

const cacheKey = (source, file) =>
  createHash('sha256').update(source).update('\0').update(file).update('\0').update(version).digest('hex');

export default {
  process: (source, file) =>
    transformSync(source, { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile: file }),
  getCacheKey: cacheKey,
};
