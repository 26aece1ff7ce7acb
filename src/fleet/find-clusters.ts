import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { quote } from '../shell/quote.js';

/** One cluster of a fleet: an inventory. */
export interface FleetCluster {
  /** Path of its directory below that of the fleet, `eu/prod-1`, or its file's name without the ending. */
  readonly name: string;
  /** Path of the inventory, with the directory as it was typed. */
  readonly inventory: string;
}

/** An inventory that has a directory of its own, and its name from there. Kubespray has hosts.yaml, or inventory.ini. */
const IN_OWN_DIRECTORY = /^(?:inventory|hosts)(?:\.(?:ya?ml|ini))?$/;
const BESIDE_OTHERS = /^(?<name>[^.].*)\.(?:ya?ml|ini)$/;
/** What lies beside inventories and has none in it. */
const NO_INVENTORIES = new Set([
  ...['group_vars', 'host_vars', 'playbooks', 'roles', 'tasks', 'templates', 'files'],
  ...['pki', 'node_modules'],
]);

/**
 * The clusters below a directory, in the order of their names: every file `inventory` or `hosts` (.yaml, .yml, .ini or
 * without an ending), named after its directory; in the directory itself every other .yaml, .yml and .ini as well, named
 * after the file. Hidden directories, links to directories and {@link NO_INVENTORIES} are passed over.
 * @throws ProvisionError `file-unreadable`, `fleet-empty`, `fleet-ambiguous`
 */
export async function findClusters(directory: string): Promise<readonly FleetCluster[]> {
  const found = await clustersIn(directory, '');
  if (found.length === 0)
    throw new ProvisionError({
      code: 'fleet-empty',
      message: `${directory} has no inventory; expected NAME.yaml, or NAME/inventory.yaml (or hosts.yaml, .yml, .ini), for each cluster`,
      hint: `write one with: provision init ${quote(join(directory, 'NAME/inventory.yaml'))}`,
    });
  const clusters = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  refuseTwins(clusters);
  return clusters;
}

async function clustersIn(directory: string, path: string): Promise<readonly FleetCluster[]> {
  const entries = await entriesOf(join(directory, path));
  const found = await Promise.all(
    entries.map(async (entry): Promise<readonly FleetCluster[]> => {
      if (entry.isDirectory())
        return entry.name.startsWith('.') || NO_INVENTORIES.has(entry.name)
          ? []
          : clustersIn(directory, join(path, entry.name));
      const name = nameOf(directory, path, entry.name);
      return name === undefined ? [] : [{ name, inventory: join(directory, path, entry.name) }];
    }),
  );
  return found.flat();
}

function nameOf(directory: string, path: string, file: string): string | undefined {
  if (IN_OWN_DIRECTORY.test(file)) return path === '' ? basename(resolve(directory)) : path;
  return path === '' ? BESIDE_OTHERS.exec(file)?.groups?.['name'] : undefined;
}

async function entriesOf(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    const isFile = (error as NodeJS.ErrnoException).code === 'ENOTDIR';
    throw new ProvisionError({
      code: 'file-unreadable',
      message: `${path} can't be read as a directory of inventories: ${fileReason(error)}`,
      hint: `give the directory that has the inventories of the fleet${isFile ? `; for this cluster alone: provision plan ${quote(path)}` : ''}`,
      cause: error,
    });
  }
}

/** Two inventories of one name would share a saved plan, and a person could not tell which one failed. */
function refuseTwins(clusters: readonly FleetCluster[]): void {
  const twins = clusters.filter(
    ({ name }, index) => clusters[index - 1]?.name === name || clusters[index + 1]?.name === name,
  );
  if (twins.length === 0) return;
  throw new ProvisionError({
    code: 'fleet-ambiguous',
    message: `several inventories have one name: ${twins.map(({ name, inventory }) => `${inventory} (${name})`).join(', ')}`,
    hint: 'keep one inventory in each directory, and name the others after their clusters',
  });
}
