import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile, Plugin } from 'esbuild';
import { buildProgram } from '../../build.mjs';

/** A program as it is shipped, in a directory of its own. */
export interface Built {
  /** Absolute path of `main.js`. */
  readonly main: string;
  /** File of the build → the modules of src/ that it was made of, as `commands/program`. */
  readonly madeOf: ReadonlyMap<string, readonly string[]>;
}

/** Lines that a build has, and src/ has not. */
export interface Planted {
  /** Below src/. */
  readonly file: string;
  /** Put behind its own lines. */
  readonly lines: string;
}

/**
 * Builds the program into `dist/` of a directory, which then works as an installed package.
 * @param planted makes it another program
 */
export async function buildInto(directory: string, planted?: Planted): Promise<Built> {
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  for (const name of ['node_modules', 'playbooks']) symlinkSync(resolve(name), join(directory, name));
  const dist = join(directory, 'dist');
  const metafile = await buildProgram(dist, planted && { plugins: [plant(planted)] });
  return { main: join(dist, 'main.js'), madeOf: madeOf(metafile) };
}

function plant({ file, lines }: Planted): Plugin {
  const path = resolve('src', file);
  return {
    name: 'plant',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, (args) =>
        args.path === path ? { contents: `${readFileSync(path, 'utf8')}\n${lines}`, loader: 'ts' } : undefined,
      );
    },
  };
}

function madeOf({ outputs }: Metafile): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.entries(outputs).map(([file, { inputs }]) => [
      resolve(file),
      Object.keys(inputs).map((input) => relative('src', input).replace(/\.ts$/, '')),
    ]),
  );
}

/** Notes each import: what was found, and who asked. */
const HOOK = `import { appendFileSync } from 'node:fs';
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  appendFileSync(process.env.NOTED, JSON.stringify([found.url, context.parentURL ?? '']) + '\\n');
  return found;
}`;

const REGISTER = `import { register } from 'node:module';
register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOK)}`)});`;

/** What a run of the program loaded, in order of the names. */
export interface LoadedModules {
  /** How many files of the build. */
  readonly files: number;
  /** Of src/: room → names of its modules; the room of what is in none is `.`. */
  readonly rooms: ReadonlyMap<string, readonly string[]>;
  /** Packages that a module of src/ imported itself. What those load is their own business. */
  readonly dependencies: readonly string[];
  readonly stdout: string;
}

/**
 * Runs a build, and tells what it loads.
 * @param words of the command line
 * @param home its working directory, and its user's home
 */
export function loadedModules({ main, madeOf }: Built, words: readonly string[], home: string): LoadedModules {
  const noted = join(home, 'loaded');
  writeFileSync(noted, '');
  const flag = `--import=data:text/javascript,${encodeURIComponent(REGISTER)}`;
  const env = { PATH: process.env['PATH'], HOME: home, NOTED: noted };
  const { stdout } = spawnSync(process.execPath, [flag, main, ...words], { cwd: home, env, encoding: 'utf8' });
  const imports = readFileSync(noted, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as readonly [string, string]);
  const files = sorted(imports.map(([url]) => pathOf(url)).filter((path) => madeOf.has(path)));
  const packages = imports.flatMap(([url, parent]) =>
    madeOf.has(pathOf(parent)) ? [...(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [])].slice(1) : [],
  );
  const modules = sorted(files.flatMap((file) => madeOf.get(file) ?? []));
  return { files: files.length, rooms: byRoom(modules), dependencies: sorted(packages), stdout };
}

function pathOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

function byRoom(modules: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const rooms = sorted(modules.map((name) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '.')));
  const of = (room: string): readonly string[] =>
    modules.flatMap((name) => {
      if (room === '.') return name.includes('/') ? [] : [name];
      return name.startsWith(`${room}/`) ? [name.slice(room.length + 1)] : [];
    });
  return new Map(rooms.map((room) => [room, of(room)]));
}
