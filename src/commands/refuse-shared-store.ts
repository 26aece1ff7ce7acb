import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { describeCluster } from '../cluster/describe-cluster.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import { canonicalIp } from '../model/ip.js';
import { readTextBounded, TYPED_FILE_BYTES } from '../model/read-bounded.js';
import type { Context } from './context.js';
import { openInventory, type InventoryOptions } from './inventory-options.js';

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
 * a certificate of it. Inventories with a host in common are of one cluster.
 * @throws ProvisionError `shared-store`
 */
export async function refuseSharedStore(
  { file, inventory, cluster }: OpenedCluster,
  options: InventoryOptions,
  context: Pick<Context, 'env'>,
): Promise<void> {
  const { store } = cluster.certificates;
  if (cluster.members.length === 0 || namesStore(inventory)) return;
  const sibling = await otherClusterBeside({ file, store, addresses: addressesOf(inventory) }, options, context);
  if (sibling === undefined) return;
  const named = relative(dirname(resolve(file)), store);
  throw new ProvisionError({
    code: 'shared-store',
    message: `${file} and ${sibling} describe different clusters, and the authority of both is in ${store}: whoever has a certificate of one is let into the etcd of the other`,
    hint: `name it in the inventory whose authority it is: etcd_pki_store: ${named}; and in the other one another, such as ${named}-2\nor give each inventory a directory of its own`,
  });
}

/** What an inventory, be it written yet or not, has in common with others. */
export interface StorePlace {
  readonly file: string;
  /** Absolute. */
  readonly store: string;
  /** Of all its hosts, canonical. */
  readonly addresses: readonly string[];
}

/** Another inventory in the same directory, of a cluster without a host in common whose authority is in the same store. */
export async function otherClusterBeside(
  { file, store, addresses }: StorePlace,
  options: InventoryOptions,
  context: Pick<Context, 'env'>,
): Promise<string | undefined> {
  for (const sibling of await siblingsOf(file)) {
    const other = await openInventory(sibling, options, context).catch(() => undefined);
    if (other === undefined || storeOf(other) !== store) continue;
    if (!addressesOf(other).some((address) => addresses.includes(address))) return sibling;
  }
  return undefined;
}

function namesStore({ hosts }: Inventory): boolean {
  return [...hosts.values()].some(({ variables }) => variables.at('etcd_pki_store') !== undefined);
}

/** Undefined for an inventory that is wrong: who uses it gets the error. */
function storeOf(inventory: Inventory): string | undefined {
  try {
    return describeCluster(inventory).certificates.store;
  } catch {
    return undefined;
  }
}

function addressesOf({ hosts }: Inventory): readonly string[] {
  return [...hosts.values()].map(({ connection }) => canonicalIp(connection.address));
}

/** Files beside an inventory that may be inventories with an etcd, by their text: most of what lies there is not. */
async function siblingsOf(file: string): Promise<readonly string[]> {
  const directory = dirname(file);
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const files = entries.filter(
    (entry) => entry.isFile() && !entry.name.startsWith('.') && entry.name !== basename(file),
  );
  const named = files.map(({ name }) => name).filter((name) => ['', '.yaml', '.yml', '.ini'].includes(extname(name)));
  const found = await Promise.all(
    named.toSorted().map(async (name) => {
      const path = join(directory, name);
      const text = await readTextBounded(path, TYPED_FILE_BYTES).catch(() => '');
      return /^\s*(?:["']?etcd["']?\s*:|\[etcd(?::children)?\])/m.test(text) ? [path] : [];
    }),
  );
  return found.flat();
}
