import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { counted } from '../model/counted.js';
import { InputError } from '../model/errors.js';
import { claimDirectory, labFiles, renderKnownHosts, writeLabFiles } from './directory.js';
import { downLab } from './down.js';
import { createControlPlanes, shortenCrashPauses } from './control-plane.js';
import { createIdentity, hostOf, mountDisk, powerOn, waitForSsh } from './host.js';
import type { HostHandle } from './host.js';
import { isKubernetesHost, prepareKubernetesHost } from './kubernetes-host.js';
import {
  ensureBaseImage,
  ensureControlPlaneLayer,
  ensureKubernetes,
  ensureKubernetesImage,
  writeAptOptions,
} from './image.js';
import type { Workshop } from './image.js';
import { chosenMirror } from './mirror.js';
import type { Mirror } from './mirror.js';
import { createControlNetwork } from './network.js';
import type { LabPaths } from './paths.js';
import { ownRecord } from './process.js';
import { inspectMachine, installPackages, requirementsError, whatIsMissing } from './requirements.js';
import { createLab, findLab, labNames, writeLab } from './state.js';
import type { Lab } from './state.js';
import { chooseNetwork, isLabName, layOutHosts } from './topology.js';
import type { HostCounts, KubernetesKind, Release } from './topology.js';

/** What a new lab should be. */
export interface UpOptions extends HostCounts {
  readonly name: string;
  readonly release: Release;
  readonly kubernetes: KubernetesKind;
  /** Where the inventory and keys go; new or empty. Relative to the working directory. */
  readonly directory: string;
  readonly installMissing: 'yes' | 'no';
  /** How long the stand-in for the kubelet pauses after crashes: as the kubelet does, 10 s to 5 min, or 1 s to 5 s. */
  readonly crashPauses: 'kubelet' | 'short';
  readonly paths: LabPaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told what is being done, for people. */
  readonly announce: (message: string) => void;
}

/** fs.inotify.max_user_instances: each host's systemd takes several, and 128 (the default) suffice for about 20. */
const INOTIFY = '/proc/sys/fs/inotify/max_user_instances';
const INOTIFY_WANTED = 8192;
const INOTIFY_ENOUGH_FOR = 15;

/** @throws ProvisionError `lab-requirements` with all that is missing */
async function checkRequirements(options: UpOptions): Promise<Mirror> {
  const mirror = await chosenMirror(options.env);
  const look = async (): Promise<ReturnType<typeof whatIsMissing>> =>
    whatIsMissing(await inspectMachine(options.env['PATH'] ?? '', mirror !== undefined));
  let missing = await look();
  if (options.installMissing === 'yes' && missing.packages.length > 0) {
    options.announce(`installing ${missing.packages.join(' ')}`);
    await installPackages(missing.packages);
    missing = await look();
  }
  if (missing.problems.length > 0 || mirror === undefined) throw requirementsError(missing);
  return mirror;
}

async function labsOf(paths: LabPaths): Promise<readonly Lab[]> {
  const labs = await Promise.all((await labNames(paths)).map(async (name) => findLab(paths, name)));
  return labs.filter((lab) => lab !== undefined);
}

/** Raises the machine's limit for the hosts of all its labs, and notes the old value, which the last lab to go puts back. */
async function raiseInotify(options: UpOptions): Promise<void> {
  const hosts = (await labsOf(options.paths)).flatMap((lab) => lab.hosts).length;
  const current = (await readFile(INOTIFY, 'utf8')).trim();
  if (hosts <= INOTIFY_ENOUGH_FOR || Number(current) >= INOTIFY_WANTED) return;
  await writeFile(join(options.paths.state, '.inotify-before'), `${current}\n`);
  await writeFile(INOTIFY, String(INOTIFY_WANTED));
  options.announce(
    `fs.inotify.max_user_instances: ${current} → ${INOTIFY_WANTED} for ${hosts} hosts, until the last lab is down`,
  );
}

/** Boots hosts whose identity is made, all at once, and waits until ssh answers on each. */
async function bootHosts(handles: readonly HostHandle[], layers: readonly string[]): Promise<void> {
  await Promise.all(
    handles.map(async (handle) => {
      await mountDisk(handle, layers);
      await powerOn(handle);
      await waitForSsh(handle);
    }),
  );
}

/** Boots the control planes. Kubernetes is built here, when it must be, while the other hosts boot. */
async function bootControlPlanes(
  workshop: Workshop,
  lab: Lab,
  base: string,
  handles: readonly HostHandle[],
  crashPauses: UpOptions['crashPauses'],
): Promise<void> {
  if (handles.length === 0) return;
  const layer = await ensureControlPlaneLayer(workshop, lab.release, base);
  const kubernetes = await ensureKubernetes(workshop);
  await createControlPlanes(kubernetes, handles);
  if (crashPauses === 'short') await Promise.all(handles.map(async (handle) => shortenCrashPauses(handle)));
  await bootHosts(handles, [kubernetes, layer, base]);
}

/** Boots hosts for a real Kubernetes. Their images are built here, when they must be, while the other hosts boot. */
async function bootKubernetesHosts(workshop: Workshop, handles: readonly HostHandle[]): Promise<void> {
  if (handles.length === 0) return;
  const { layers, store } = await ensureKubernetesImage(workshop);
  await Promise.all(handles.map(async (handle) => prepareKubernetesHost(handle, store)));
  await bootHosts(handles, layers);
}

async function fillLab(options: UpOptions, lab: Lab, mirror: Mirror): Promise<void> {
  const { cache, state } = options.paths;
  const workshop = { cache, mirror, aptOptions: await writeAptOptions(cache), announce: options.announce };
  const base = await ensureBaseImage(workshop, lab.release);
  await raiseInotify(options);
  await createControlNetwork(lab.name, lab.network);
  await writeLabFiles(lab);
  const handles = lab.hosts.map((host) => hostOf(lab, join(state, lab.name), host.name));
  const keys = new Map<string, string>();
  await Promise.all(handles.map(async (handle) => keys.set(handle.host.name, await createIdentity(handle))));
  await writeFile(labFiles(lab.directory).knownHosts, renderKnownHosts(lab.hosts, keys));
  options.announce(`booting ${counted(lab.hosts.length, 'host')}`);
  const nodes = handles.filter(({ host }) => isKubernetesHost(lab, host));
  const controlPlanes = handles.filter((handle) => handle.host.role === 'control-plane' && !nodes.includes(handle));
  const others = handles.filter((handle) => !nodes.includes(handle) && !controlPlanes.includes(handle));
  // Both run to their end even when one fails: what is made must not outrun what takes it down.
  const ends = await Promise.allSettled([
    bootHosts(others, [base]),
    bootControlPlanes(workshop, lab, base, controlPlanes, options.crashPauses),
    bootKubernetesHosts(workshop, nodes),
  ]);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** @throws InputError when what is asked for can't be had together */
function refuseOddKubernetes({ kubernetes, release, workers }: UpOptions): void {
  const refuse = (subject: string, message: string): never => {
    throw new InputError([{ severity: 'error', subject, message }]);
  };
  if (kubernetes === 'stand-in' && workers > 0)
    refuse('workers', `${workers}: only a real Kubernetes has workers; add --kubernetes`);
  if (kubernetes === 'real' && release !== 'bookworm')
    refuse('release', `${release}: Kubernetes hosts are Debian 12; expected bookworm`);
}

/**
 * Brings a lab up: hosts that boot and answer ssh, and a directory with their inventory and keys. On failure it takes
 * down what it had made.
 * @throws InputError bad name or counts; ProvisionError `lab-requirements`, `lab-exists`, `lab-build-failed`, …
 */
export async function upLab(options: UpOptions): Promise<Lab> {
  if (!isLabName(options.name)) {
    const message = `${options.name}: expected at most 20 lower-case letters, digits and dashes, a letter first`;
    throw new InputError([{ severity: 'error', subject: 'name', message }]);
  }
  refuseOddKubernetes(options);
  const network = chooseNetwork((await labsOf(options.paths)).map((lab) => lab.network.prefix));
  const hosts = [...layOutHosts(options, network)];
  const mirror = await checkRequirements(options);
  const lab: Lab = {
    name: options.name,
    directory: resolve(options.directory),
    release: options.release,
    kubernetes: options.kubernetes,
    network,
    hosts,
    maker: await ownRecord(),
  };
  await createLab(options.paths, lab);
  try {
    await claimDirectory(lab.directory, lab.name);
    await fillLab(options, lab, mirror);
    const done: Lab = { ...lab, maker: undefined };
    await writeLab(options.paths, done);
    return done;
  } catch (error) {
    await downLab(options.paths, options.name).catch((left: unknown) => {
      options.announce(`lab ${options.name}: could not be taken down: ${String(left)}`);
    });
    throw error;
  }
}
