import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureBaseImage, writeAptOptions } from '../../src/lab/image.js';
import { findMirror, readAptSources } from '../../src/lab/mirror.js';
import { inControlNamespace } from '../../src/lab/network.js';
import type { Release } from '../../src/lab/topology.js';
import { LAB_PATHS, run, type TestLab } from './lab.js';

/** A tarball in the layout of etcd upstream. */
export interface MadeRelease {
  readonly version: string;
  readonly path: string;
  readonly sha256: string;
}

async function mustRun(command: readonly string[]): Promise<string> {
  const ended = await run(command);
  if (ended.status !== 0) throw new Error(`${command.join(' ')}: ${ended.stderr}`);
  return ended.stdout;
}

/**
 * A release made of the packages that a lab's image has: their programs need no newer C library than that of Debian 12.
 * @param directory where it goes
 */
export async function releaseOf(debian: Release, directory: string): Promise<MadeRelease> {
  const mirror = findMirror(await readAptSources('/etc/apt'));
  if (mirror === undefined) throw new Error('there is no Debian mirror');
  const { cache } = LAB_PATHS;
  const workshop = { cache, mirror, aptOptions: await writeAptOptions(cache), announce: () => undefined };
  const archives = join(await ensureBaseImage(workshop, debian), 'var/cache/apt/archives');
  const packages = (await readdir(archives)).filter((name) => /^etcd-(?:server|client)_.*\.deb$/.test(name));
  const files = join(directory, `${debian}-files`);
  for (const name of packages) await mustRun(['dpkg-deb', '-x', join(archives, name), files]);
  const said = await mustRun(['dpkg-deb', '-f', join(archives, packages[0] ?? ''), 'Version']);
  const version = said.replace(/-.*\s*$/, '').trim();
  return pack(version, join(files, 'usr/bin'), directory);
}

/** The same release with an etcd that says its version, and does not start. */
export async function brokenRelease(
  { version }: MadeRelease,
  debian: Release,
  directory: string,
): Promise<MadeRelease> {
  const place = join(directory, 'broken');
  await mkdir(place, { recursive: true });
  await mustRun(['cp', '-a', '-T', join(directory, `${debian}-files`, 'usr/bin'), place]);
  const lines = ['#!/bin/sh', `[ "$1" != --version ] || { echo "etcd Version: ${version}"; exit 0; }`];
  await writeFile(
    join(place, 'etcd'),
    [...lines, 'echo "planted: this etcd does not start" >&2', 'exit 3', ''].join('\n'),
  );
  await chmod(join(place, 'etcd'), 0o755);
  return pack(version, place, place);
}

async function pack(version: string, programs: string, directory: string): Promise<MadeRelease> {
  const top = `etcd-v${version}-linux-amd64`;
  const path = join(directory, `${top}.tar.gz`);
  await rm(join(directory, top), { recursive: true, force: true });
  await mkdir(join(directory, top));
  for (const name of (await readdir(programs)).filter((each) => /^etcd(?:ctl|utl)?$/.test(each)))
    await mustRun(['cp', '-L', join(programs, name), join(directory, top, name)]);
  await mustRun(['tar', '-C', directory, '-I', 'gzip -1', '-cf', path, top]);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { version, path, sha256 };
}

/** A server of files. */
export interface FileServer {
  readonly port: number;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

const SERVER = `
import { createServer } from 'node:http';
import { createReadStream } from 'node:fs';
const server = createServer((request, response) => {
  console.log(request.url);
  createReadStream(process.argv[1] + request.url).on('error', () => response.writeHead(404).end()).pipe(response);
});
server.listen(0, '0.0.0.0', () => console.log(server.address().port));
`;

/** Serves a directory on the control side of a lab, where its hosts reach it, too. */
export async function serveFiles(lab: TestLab, directory: string): Promise<FileServer> {
  const node = [process.execPath, '--input-type=module', '-e', SERVER, directory];
  const [program = '', ...args] = inControlNamespace(lab.name, node);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [port] = (await once(lines, 'line')) as [string];
  const asked: string[] = [];
  lines.on('line', (line) => asked.push(line));
  return {
    port: Number(port),
    asked,
    async stop() {
      child.kill();
      await ended;
    },
  };
}
