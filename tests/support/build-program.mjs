// Before the rooms that run this program as a process: its sources as JavaScript in dist/, where `npm run build` has it too. Loaded
// through tsx, every run of it would compile again what the tests changed nothing of, for a second of processor time.
// Files are written only when they differ: another run of tests may be reading them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from 'esbuild';

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

export default async function buildProgram() {
  const { outputFiles } = await build({
    entryPoints: ['src/**/*.ts'],
    outdir: 'dist',
    format: 'esm',
    target: 'node20',
    write: false,
  });
  for (const { path, text } of outputFiles) {
    if (textOf(path) === text) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
