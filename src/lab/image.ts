import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { assetPath } from './assets.js';
import type { Mirror } from './mirror.js';
import { runTool } from './process.js';

/** Something that is built once and kept in the cache, keyed by its recipe. */
export interface CachedBuild {
  /** Start of its directory's name: `bookworm`. */
  readonly name: string;
  /** File name of its script in assets/. It is given the directory to fill. */
  readonly script: string;
  /** What it reads from the environment; part of the key unless it is a place. */
  readonly settings: Readonly<Record<string, string>>;
  /** Places: paths and addresses that do not change what is built. */
  readonly places: Readonly<Record<string, string>>;
}

/** Where a build lives: a changed recipe is another directory. */
async function cachedPath(cache: string, build: CachedBuild): Promise<string> {
  const recipe = await readFile(assetPath(build.script), 'utf8');
  const digest = createHash('sha256').update(recipe).update(JSON.stringify(build.settings)).digest('hex');
  return join(cache, `${build.name}-${digest.slice(0, 12)}`);
}

/** The end of a build's log, without the mirror's address. */
async function lastLines(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-8);
  return lines.join('\n').replace(/(https?:\/\/)[^\s/]+/g, '$1…');
}

/**
 * Runs a build script to its end. It lives in namespaces of its own and dies with this process, so that nothing is
 * left of a killed build but a `.partial` directory, which the next build clears. The lock makes a second build wait.
 */
async function runBuild(target: string, build: CachedBuild): Promise<void> {
  const log = await open(`${target}.log`, 'w');
  const steps = 'if test -e "$1"; then exit; fi; rm -rf "$1.partial"; sh "$2" "$1.partial"; mv "$1.partial" "$1"';
  const isolated = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const locked = ['setpriv', '--pdeathsig', 'KILL', 'flock', '--no-fork', `${target}.lock`, ...isolated];
  const child = spawn('env', [...locked, 'sh', '-euc', steps, 'sh', target, assetPath(build.script)], {
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, ...build.settings, ...build.places },
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  await log.close();
  if (status === 0) return;
  throw new ProvisionError({
    code: 'lab-build-failed',
    message: `building ${build.name} ended with ${status ?? 'a signal'}:\n${await lastLines(`${target}.log`)}`,
    hint: `the whole log: ${target}.log`,
  });
}

/**
 * A build's directory, made first when the cache lacks it.
 * @param announce told before a build, which takes a minute or more
 * @throws ProvisionError `lab-build-failed`
 */
export async function ensureBuilt(
  cache: string,
  build: CachedBuild,
  announce: (message: string) => void,
): Promise<string> {
  const target = await cachedPath(cache, build);
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  announce(`building ${build.name} (once; kept in ${cache})`);
  await runBuild(target, build);
  await rm(`${target}.log`, { force: true });
  return target;
}

/** This machine's own apt options for downloading (proxies, snapshot archives), for builds that use its mirror. */
export async function writeAptOptions(cache: string): Promise<string> {
  const options = await runTool('apt-config', ['dump', 'Acquire']).catch(() => '');
  const file = join(cache, 'apt.conf');
  await mkdir(cache, { recursive: true });
  await writeFile(`${file}.${process.pid}`, options);
  await rename(`${file}.${process.pid}`, file);
  return file;
}

/** The base image of a release: what a plain Debian server has, and packages that can be installed offline. */
export function baseImage(release: string, mirror: Mirror, aptOptions: string): CachedBuild {
  return {
    name: release,
    script: 'build-image.sh',
    settings: { SUITE: release },
    places: { MIRROR: mirror.main, SECURITY_MIRROR: mirror.security, APT_OPTIONS: aptOptions },
  };
}
