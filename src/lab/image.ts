import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { assetPath } from './assets.js';
import type { Mirror } from './mirror.js';
import { runTool } from './process.js';
import type { Release } from './topology.js';

/** The directory of all recipes. */
const ASSETS = dirname(assetPath('kubelet.service'));

/** Something that is built once and kept in the cache, keyed by its recipe. */
interface CachedBuild {
  /** Start of its directory's name: `bookworm`. */
  readonly name: string;
  /** Files in assets/ that it is made of. The first is the script, which is given the directory to fill. */
  readonly recipe: readonly [string, ...string[]];
  /** What it reads from the environment; part of the key unless it is a place. */
  readonly settings: Readonly<Record<string, string>>;
  /** Places: paths and addresses that do not change what is built. */
  readonly places: Readonly<Record<string, string>>;
}

/** Where a build lives: a changed recipe is another directory. */
async function cachedPath(cache: string, build: CachedBuild): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(build.settings));
  for (const file of build.recipe) hash.update(await readFile(assetPath(file)));
  return join(cache, `${build.name}-${hash.digest('hex').slice(0, 12)}`);
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
  const child = spawn('env', [...locked, 'sh', '-euc', steps, 'sh', target, assetPath(build.recipe[0])], {
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
 * A build's directory, made first when the cache does not have it.
 * @throws ProvisionError `lab-build-failed`
 */
async function ensureBuilt({ cache, announce }: Workshop, build: CachedBuild): Promise<string> {
  const target = await cachedPath(cache, build);
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  announce(`building ${build.name} (once; kept in ${cache})`);
  await runBuild(target, build);
  await rm(`${target}.log`, { force: true });
  return target;
}

/**
 * This machine's own apt options for downloading (proxies, snapshot archives), for builds that use its mirror.
 * A machine without apt has none.
 * @returns the path of the file that holds them
 */
export async function writeAptOptions(cache: string): Promise<string> {
  const options = existsSync('/usr/bin/apt-config') ? await runTool('apt-config', ['dump', 'Acquire']) : '';
  const file = join(cache, 'apt.conf');
  await mkdir(cache, { recursive: true });
  await writeFile(`${file}.${process.pid}`, options);
  await rename(`${file}.${process.pid}`, file);
  return file;
}

/** What every build needs to know of this machine. */
export interface Workshop {
  readonly cache: string;
  readonly mirror: Mirror;
  /** From {@link writeAptOptions}. */
  readonly aptOptions: string;
  /** Told before a build, which takes a minute or more. */
  readonly announce: (message: string) => void;
}

/** The base image of a release: what a plain Debian server has, and packages that can be installed offline. */
export async function ensureBaseImage(workshop: Workshop, release: Release): Promise<string> {
  const { mirror, aptOptions } = workshop;
  return ensureBuilt(workshop, {
    name: release,
    recipe: ['build-image.sh'],
    settings: { SUITE: release },
    places: { MIRROR: mirror.main, SECURITY_MIRROR: mirror.security, APT_OPTIONS: aptOptions },
  });
}

/** What control-plane hosts have above the base image: the stand-in for the kubelet. @param base the base image */
export async function ensureControlPlaneLayer(workshop: Workshop, release: Release, base: string): Promise<string> {
  const built = await ensureBuilt(workshop, {
    name: `${release}-control-plane`,
    recipe: ['build-control-plane.sh', 'kubelet-stand-in.py', 'kubelet.service'],
    settings: { BASE: base },
    places: { ASSETS },
  });
  return join(built, 'upper');
}

/** Programs of Kubernetes v1.20.2, built from source: a set of them is one build. */
async function ensurePrograms(
  workshop: Workshop,
  name: string,
  set: { readonly programs: readonly string[]; readonly tags: readonly string[]; readonly sources: readonly string[] },
): Promise<string> {
  const recipe = ['build-kubernetes.sh', ...set.sources] as const;
  const settings = { PROGRAMS: set.programs.join(' '), TAGS: set.tags.join(',') };
  const { cache, mirror, aptOptions } = workshop;
  const places = { MIRROR: mirror.main, APT_OPTIONS: aptOptions, ASSETS, GO_CACHE: join(cache, 'go-cache') };
  const build: CachedBuild = { name, recipe, settings, places };
  const target = await cachedPath(cache, build);
  if (existsSync(target)) return target;
  // Debian 12 is the last release with Kubernetes sources and a Go that builds them. The programs are static.
  const base = await ensureBaseImage(workshop, 'bookworm');
  return ensureBuilt(workshop, { ...build, places: { ...places, BASE: base } });
}

/** kube-apiserver and kubeadm, built from source the first time: about four minutes. */
export async function ensureKubernetes(workshop: Workshop): Promise<string> {
  const programs = ['kube-apiserver', 'kubeadm'];
  return ensurePrograms(workshop, 'kubernetes-1.20.2', { programs, tags: [], sources: [] });
}

/** What a whole Kubernetes needs beside them: about nine minutes the first time. */
async function ensureNodePrograms(workshop: Workshop): Promise<string> {
  const own = ['crictl', 'coredns', 'pause'];
  return ensurePrograms(workshop, 'kubernetes-node-1.20.2', {
    programs: ['kubelet', 'kubectl', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', ...own],
    // No cloud and no Docker: half of the size, and of the time.
    tags: ['providerless', 'dockerless'],
    sources: own.map((program) => `kubernetes/${program}.go`),
  });
}

/** What Kubernetes hosts are made of. */
export interface KubernetesImage {
  /** Directories of the image, the uppermost first. */
  readonly layers: readonly string[];
  /** A containerd store that holds every image, for /var/lib/containerd; shared, so never to be written. */
  readonly store: string;
}

/** The image of hosts that a real Kubernetes is set up on: containerd, kubelet, kubeadm and all images; nothing runs. */
export async function ensureKubernetesImage(workshop: Workshop): Promise<KubernetesImage> {
  const base = await ensureBaseImage(workshop, 'bookworm');
  const kubernetes = await ensureKubernetes(workshop);
  const node = await ensureNodePrograms(workshop);
  const settings = { BASE: base, KUBERNETES: kubernetes, NODE: node };
  const files = ['prepare-node', 'provision-lab-node.service', 'kubelet.service', '10-kubeadm.conf'];
  const layer = await ensureBuilt(workshop, {
    name: 'bookworm-kubernetes',
    recipe: ['kubernetes/build-node.sh', ...files.map((file) => `kubernetes/${file}`)],
    settings,
    places: { ASSETS, APT_OPTIONS: workshop.aptOptions },
  });
  const images = await ensureBuilt(workshop, {
    name: 'kubernetes-images-1.20.2',
    recipe: ['kubernetes/build-image-store.sh'],
    settings: { ...settings, NODE_LAYER: join(layer, 'upper') },
    places: {},
  });
  return { layers: [join(layer, 'upper'), base], store: join(images, 'store') };
}
