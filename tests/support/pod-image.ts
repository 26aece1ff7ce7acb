import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** What deploy/Containerfile says of the image. */
interface Recipe {
  readonly copied: readonly (readonly [from: string, to: string])[];
  readonly links: readonly (readonly [target: string, path: string])[];
  readonly user: string;
  readonly directory: string;
  readonly entrypoint: readonly string[];
}

/** Reads it; what it installs with apt and npm is this machine's. */
function readRecipe(): Recipe {
  const text = readFileSync('deploy/Containerfile', 'utf8');
  const pairs = (pattern: RegExp): readonly (readonly [string, string])[] =>
    [...text.matchAll(pattern)].map(([, from = '', to = '']) => [from, to]);
  const word = (name: string): string => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    copied: pairs(/^COPY --from=build \/src\/(\S+) (\S+)$/gm),
    links: pairs(/^RUN ln -s (\S+) (\S+)$/gm),
    user: word('USER'),
    directory: word('WORKDIR'),
    entrypoint: JSON.parse(word('ENTRYPOINT')) as readonly string[],
  };
}

/**
 * The image of deploy/Containerfile without a registry: its lines are done here, with the programs of this machine in place of the
 * image that it begins from, and this checkout's own build and dependencies.
 * @param directory where it is made
 * @returns a docker archive, as `ctr images import` takes it
 */
export function makePodImage(directory: string, name: string): string {
  const recipe = readRecipe();
  const root = join(directory, 'root');
  for (const path of ['usr/bin', 'usr/lib', 'usr/lib64', 'usr/local/bin', 'etc', 'tmp', 'home/provision'])
    mkdirSync(join(root, path), { recursive: true });
  for (const path of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${path}`, join(root, path));
  for (const program of ['node', 'sh', 'env', 'ssh']) copyProgram(root, program);
  writeFileSync(
    join(root, 'etc/passwd'),
    `root:x:0:0::/root:/bin/sh\nprovision:x:${recipe.user}:${recipe.user}::/home/provision:/bin/sh\n`,
  );
  writeFileSync(join(root, 'etc/group'), `root:x:0:\nprovision:x:${recipe.user}:\n`);
  for (const [from, to] of recipe.copied) copyBuilt(root, from, to);
  for (const [target, path] of recipe.links) symlinkSync(target, join(root, path));
  return archive(directory, root, name, recipe);
}

/** A program of this machine, with the libraries that it loads. */
function copyProgram(root: string, program: string): void {
  const path = realpathSync(execFileSync('which', [program], { encoding: 'utf8' }).trim());
  cpSync(path, join(root, 'usr/bin', program));
  const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
  for (const [library] of stdout.matchAll(/\/\S+/g)) {
    const to = join(root, 'usr', library.replace(/^\/usr\//, '/'));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(realpathSync(library), to);
  }
}

function copyBuilt(root: string, from: string, to: string): void {
  const into = to.endsWith('/') ? join(to, basename(from)) : to;
  if (from === 'node_modules') {
    for (const path of neededPackages())
      cpSync(path, join(root, into, path.replace('node_modules/', '')), { recursive: true });
    return;
  }
  cpSync(resolve(from), join(root, into), { recursive: true });
}

/** Paths of the packages that are not for development alone, as `npm prune --omit=dev` leaves them. */
function neededPackages(): readonly string[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<
      Record<string, { readonly dev?: true; readonly devOptional?: true; readonly optional?: true }>
    >;
  };
  return Object.entries(packages).flatMap(([path, { dev, devOptional, optional }]) =>
    path === '' || dev === true || devOptional === true || optional === true ? [] : [path],
  );
}

/** One layer, and what is run of it: the format of `docker save`. */
function archive(
  directory: string,
  root: string,
  name: string,
  { user, directory: WorkingDir, entrypoint }: Recipe,
): string {
  const layer = join(directory, 'layer.tar');
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '--numeric-owner', '-cf', layer, '.']);
  const digest = execFileSync('sha256sum', [layer], { encoding: 'utf8' }).split(' ', 1)[0] ?? '';
  const config = JSON.stringify({
    ...{ architecture: 'amd64', os: 'linux' },
    config: { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'], User: user, WorkingDir, Entrypoint: entrypoint },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  });
  const file = `${createHash('sha256').update(config).digest('hex')}.json`;
  writeFileSync(join(directory, file), config);
  writeFileSync(
    join(directory, 'manifest.json'),
    JSON.stringify([{ Config: file, RepoTags: [name], Layers: ['layer.tar'] }]),
  );
  const made = join(directory, 'image.tar');
  execFileSync('tar', ['-C', directory, '-cf', made, 'manifest.json', file, 'layer.tar']);
  return made;
}
