// What is shipped, and what the tests run as a process: src/main.ts and all that it loads, as few files in dist/. Node takes longer to
// find, read and link 570 modules than to run a plan through them (docs/adr/2026-11-28-what-is-shipped-is-bundled.md).
//
//   node build.mjs [DIRECTORY]
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A process that was started before keeps the parts that it may still load, for so many milliseconds: a day. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Builds the program. Files are written only when they differ, and what begins it is written last: another run of it may be starting.
 * @param directory where `main.js` and its `parts/` go: one below a directory that has package.json, playbooks/ and node_modules/
 * @param options esbuild's, beside those of here
 * @returns esbuild's metafile: which modules each file was made of
 */
export async function buildProgram(directory, options = {}) {
  const { outputFiles, metafile } = await build({
    entryPoints: [{ in: 'src/main.ts', out: 'main' }],
    absWorkingDir: import.meta.dirname,
    outdir: resolve(directory),
    bundle: true,
    // A verb's modules are loaded when it is typed. The names of two builds never meet.
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    // What npm installed is what runs: its licences, its audit and its overrides stay true.
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // For the stack of a bug (src/report/stack-of.ts).
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    write: false,
    ...options,
  });
  const main = join(resolve(directory), 'main.js');
  const beginsLast = [...outputFiles].sort((one, other) => Number(one.path === main) - Number(other.path === main));
  for (const { path, text } of beginsLast) writeIfOther(path, text);
  chmodSync(main, 0o755);
  removeOld(join(directory, 'parts'), new Set(outputFiles.map(({ path }) => path)));
  return metafile;
}

function writeIfOther(path, text) {
  if (textOf(path) === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function removeOld(parts, built) {
  for (const name of readdirSync(parts)) {
    const path = resolve(parts, name);
    if (!built.has(path) && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildProgram(process.argv[2] ?? 'dist');
