import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import { clustersBeside, marksOf, namesStore, realStore, type ClusterBeside } from './clusters-beside.js';
import type { Context } from './context.js';
import type { InventoryOptions } from './inventory-options.js';

/** An inventory that was opened, and the cluster that it describes. */
export interface OpenedCluster {
  /** As it was typed. */
  readonly file: string;
  readonly inventory: Inventory;
  readonly cluster: Cluster;
}

/**
 * Refuses to sign for a cluster by the authority of another one. The store is beside the inventory where no variable names another
 * place, so that two inventories in one directory (staging and production) would have one authority, and etcd lets in whoever has
 * a certificate of it. Inventories with a member or the virtual IP in common are of one cluster.
 * @throws ProvisionError `shared-store`
 */
export async function refuseSharedStore(
  { file, inventory, cluster }: OpenedCluster,
  options: InventoryOptions,
  context: Pick<Context, 'env'>,
): Promise<void> {
  const { store } = cluster.certificates;
  if (cluster.members.length === 0 || namesStore(inventory)) return;
  const others = await clustersBeside({ file, marks: marksOf(inventory) }, options, context);
  const real = await realStore(store);
  const sibling = others.find((other) => other.store === real);
  if (sibling === undefined) return;
  const directory = dirname(resolve(file));
  const named = relative(directory, store);
  throw new ProvisionError({
    code: 'shared-store',
    message: `${file} and ${sibling.file} describe different clusters, and the authority of both is in ${store}: whoever has a certificate of one is let into the etcd of the other`,
    hint: `name it in the inventory whose authority it is: etcd_pki_store: ${named}; and in the other one another, such as ${freeStore(directory, `${named}-2`, others)}\nor give each inventory a directory of its own`,
  });
}

/**
 * Refuses to write variables beside an inventory where they would hold for another cluster too: its hosts are in groups of the same names.
 * @throws ProvisionError `shared-store`
 */
export async function refuseSharedVariables(
  file: string,
  inventory: Inventory,
  options: InventoryOptions,
  context: Pick<Context, 'env'>,
): Promise<void> {
  const [sibling] = await clustersBeside({ file, marks: marksOf(inventory) }, options, context);
  if (sibling === undefined) return;
  throw new ProvisionError({
    code: 'shared-store',
    message: `${file} and ${sibling.file} describe different clusters, and what is in group_vars and host_vars beside them holds for both; nothing was written`,
    hint: `give ${file} a directory of its own, with its group_vars and host_vars; then run it again`,
  });
}

/** A name for a store in a directory that no cluster beside has, and that is not there: NAME, else NAME-2, NAME-3, … */
export function freeStore(directory: string, name: string, others: readonly Pick<ClusterBeside, 'store'>[]): string {
  const taken = new Set(others.map(({ store }) => store));
  const stem = name.replace(/-\d+$/, '');
  for (let number = 1, candidate = name; ; number += 1, candidate = `${stem}-${number}`) {
    const place = resolve(directory, candidate);
    if (!taken.has(place) && !existsSync(place)) return candidate;
  }
}
