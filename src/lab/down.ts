import { existsSync } from 'node:fs';
import { readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { assetPath } from './assets.js';
import { releaseDirectory } from './directory.js';
import { hasCode, listIfThere } from './files.js';
import { hostOf, removeHost } from './host.js';
import { deleteNamespace, namespacesOf } from './network.js';
import type { LabPaths } from './paths.js';
import { isAlive, readRecords, runTool, signal, waitUntil } from './process.js';
import { findLab, labNames, stateDirectory } from './state.js';
import type { Lab } from './state.js';

/** Ends what `lab run` still runs: only the programs that it started itself. */
async function endRuns(state: string): Promise<void> {
  const directory = join(state, 'runs');
  for (const file of await listIfThere(directory)) {
    for (const record of await readRecords(join(directory, file))) {
      await signal(record, 'SIGTERM');
      await waitUntil(async () => !(await isAlive(record)), 5_000, 50);
      await signal(record, 'SIGKILL');
    }
  }
}

async function restoreMachine(paths: LabPaths): Promise<void> {
  if ((await labNames(paths)).length > 0) return;
  const note = join(paths.state, '.inotify-before');
  if (existsSync(note)) {
    await writeFile('/proc/sys/fs/inotify/max_user_instances', (await readFile(note, 'utf8')).trim());
    await rm(note);
  }
  try {
    await rmdir(paths.state);
  } catch (error) {
    // Another lab has just come up, or the directory is a disk of its own: then it stays.
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].some((code) => hasCode(error, code))) throw error;
  }
}

async function removeParts(paths: LabPaths, lab: Lab): Promise<void> {
  const state = stateDirectory(paths, lab.name);
  await endRuns(state);
  await Promise.all(lab.hosts.map(async (host) => removeHost(hostOf(lab, state, host.name))));
  for (const namespace of await namespacesOf(lab.name)) await deleteNamespace(namespace);
  await runTool('unshare', ['--mount', '--propagation', 'private', 'sh', assetPath('remove-cgroups.sh'), lab.name]);
  await releaseDirectory(lab.directory, lab.name);
}

/**
 * Takes a lab down, whole or half-made, and leaves nothing of it: processes, mounts, namespaces, directories.
 * @returns false when there was none
 * @throws ProvisionError `lab-busy` while another process brings it up
 */
export async function downLab(paths: LabPaths, name: string): Promise<boolean> {
  const state = stateDirectory(paths, name);
  if (!existsSync(state)) return false;
  const lab = await findLab(paths, name);
  if (lab?.maker !== undefined && lab.maker.pid !== process.pid && (await isAlive(lab.maker))) {
    throw new ProvisionError({
      code: 'lab-busy',
      message: `lab ${name}: process ${lab.maker.pid} is bringing it up`,
      hint: `kill ${lab.maker.pid}, then provision lab down --name ${name}`,
    });
  }
  if (lab !== undefined) await removeParts(paths, lab);
  await rm(state, { recursive: true, force: true });
  await restoreMachine(paths);
  return true;
}
