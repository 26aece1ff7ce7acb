import { cutPower, exchangeDisk, hostOf, powerOn, shutDown, waitForSsh } from './host.js';
import type { HostHandle } from './host.js';
import { setPort } from './network.js';
import type { LabPaths } from './paths.js';
import { readLab, stateDirectory } from './state.js';

/**
 * A host of a lab that is up, to do things to.
 * @throws ProvisionError `lab-unknown`, `lab-host-unknown`
 */
export async function labHost(paths: LabPaths, lab: string, host: string): Promise<HostHandle> {
  return hostOf(await readLab(paths, lab), stateDirectory(paths, lab), host);
}

/** Cuts a host's power: it falls silent at once, and its disk keeps what was written. */
export async function powerCut(handle: HostHandle): Promise<void> {
  await cutPower(handle);
}

/** Starts a host that is off, and waits until ssh answers. */
export async function startHost(handle: HostHandle): Promise<void> {
  await powerOn(handle);
  await waitForSsh(handle);
}

/** Shuts a host down cleanly and starts it again, and waits until ssh answers. */
export async function rebootHost(handle: HostHandle): Promise<void> {
  await shutDown(handle);
  await startHost(handle);
}

/** Cuts a host off from all others, while it runs on. */
export async function cutNetwork(handle: HostHandle): Promise<void> {
  await setPort(handle.lab.name, handle.host.name, 'down');
}

/** Gives a host its network back. */
export async function restoreNetwork(handle: HostHandle): Promise<void> {
  await setPort(handle.lab.name, handle.host.name, 'up');
}

/**
 * Another machine in the place of a host whose power was cut: bare, with its name, address and ssh key. Waits until ssh
 * answers.
 * @returns where the files are that the old one wrote
 */
export async function replaceMachine(handle: HostHandle): Promise<string> {
  const old = await exchangeDisk(handle);
  await startHost(handle);
  return old;
}
