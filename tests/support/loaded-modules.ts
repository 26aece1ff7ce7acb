import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';

/** Compiles src/ file by file, as a build does, into a directory that works as an installed package. */
export function compileInto(directory: string): void {
  for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.ts')) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(directory, 'dist', relative('src', source).replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const options = { loader: 'ts', format: 'esm', target: 'node20', tsconfigRaw: VERBATIM } as const;
    writeFileSync(target, transformSync(readFileSync(source, 'utf8'), options).code);
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  for (const name of ['node_modules', 'playbooks']) symlinkSync(resolve(name), join(directory, name));
}

/** As tsconfig.json: an import of types alone is left out where it says so, and no other is. */
const VERBATIM = { compilerOptions: { verbatimModuleSyntax: true } };

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
  /** Of src/: room → names of its modules; the room of what is in none is `.`. */
  readonly rooms: ReadonlyMap<string, readonly string[]>;
  /** Packages that a module of src/ imported itself. What those load is their own business. */
  readonly dependencies: readonly string[];
  readonly stdout: string;
}

/**
 * Runs the compiled program, and tells what it loads.
 * @param directory where {@link compileInto} has put it
 * @param words of the command line
 * @param home its working directory, and its user's home
 */
export function loadedModules(directory: string, words: readonly string[], home: string): LoadedModules {
  const noted = join(home, 'loaded');
  writeFileSync(noted, '');
  const flag = `--import=data:text/javascript,${encodeURIComponent(REGISTER)}`;
  const env = { PATH: process.env['PATH'], HOME: home, NOTED: noted };
  const { stdout } = spawnSync(process.execPath, [flag, join(directory, 'dist/main.js'), ...words], {
    ...{ cwd: home, env, encoding: 'utf8' },
  });
  const imports = readFileSync(noted, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as readonly [string, string]);
  const own = pathToFileURL(join(directory, 'dist/')).href;
  const modules = imports.flatMap(([url]) => (url.startsWith(own) ? [url.slice(own.length, -'.js'.length)] : []));
  const packages = imports.flatMap(([url, parent]) =>
    parent.startsWith(own) ? [...(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [])].slice(1) : [],
  );
  return { rooms: byRoom(sorted(modules)), dependencies: sorted(packages), stdout };
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
