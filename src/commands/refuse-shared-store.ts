import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describeCluster } from '../cluster/describe-cluster.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Connection, Inventory } from '../model/inventory.js';
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
  const sibling = await otherClusterBeside({ file, store, hosts: hostsOf(inventory) }, options, context);
  if (sibling === undefined) return;
  const named = relative(dirname(resolve(file)), store);
  throw new ProvisionError({
    code: 'shared-store',
    message: `${file} and ${sibling} describe different clusters, and the authority of both is in ${store}: whoever has a certificate of one is let into the etcd of the other`,
    hint: `name it in the inventory whose authority it is: etcd_pki_store: ${named}; and in the other one another, such as ${named}-2\nor give each inventory a directory of its own`,
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
  const sibling = await otherClusterBeside({ file, store: undefined, hosts: hostsOf(inventory) }, options, context);
  if (sibling === undefined) return;
  throw new ProvisionError({
    code: 'shared-store',
    message: `${file} and ${sibling} describe different clusters, and what is in group_vars and host_vars beside them holds for both; nothing was written`,
    hint: `give ${file} a directory of its own, with its group_vars and host_vars; then run it again`,
  });
}

/** What an inventory, be it written yet or not, has in common with others. */
export interface SharedPlace {
  readonly file: string;
  /** Absolute; `undefined`: whichever the other one has. */
  readonly store: string | undefined;
  /** All its hosts, as {@link loginPlace} names them. */
  readonly hosts: readonly string[];
}

/** Another inventory in the same directory, of a cluster without a host in common whose authority is in the same store. */
export async function otherClusterBeside(
  { file, store, hosts }: SharedPlace,
  options: InventoryOptions,
  context: Pick<Context, 'env'>,
): Promise<string | undefined> {
  for (const sibling of await siblingsOf(file)) {
    const other = await openInventory(sibling, options, context).catch(() => undefined);
    if (other === undefined || (other.groups.get('etcd') ?? []).length === 0) continue;
    if (hostsOf(other).some((host) => hosts.includes(host))) continue;
    if (store === undefined || storeOf(other) === store) return sibling;
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

function hostsOf({ hosts }: Inventory): readonly string[] {
  return [...hosts.values()].map(({ connection }) => loginPlace(connection));
}

/** Where a host is reached. Behind one address that forwards ports each port is another host. */
export function loginPlace({ address, port = 22 }: Pick<Connection, 'address' | 'port'>): string {
  return `${canonicalIp(address)} ${port}`;
}

/** What is no inventory by its name, as Ansible has it (INVENTORY_IGNORE_EXTS). */
const NO_INVENTORY = /^\.|(?:\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)|~)$/;

/** A group etcd, in YAML, JSON or INI; what is encrypted may have one. */
const MAY_HAVE_ETCD = /^\s*(?:["']?etcd["']?\s*:|\[etcd(?::children)?\])|^\$ANSIBLE_VAULT;/m;

/** Files beside an inventory that may be inventories with an etcd, by their text: most of what lies there is not. */
async function siblingsOf(file: string): Promise<readonly string[]> {
  const directory = dirname(file);
  const names = await readdir(directory).catch(() => []);
  const others = names.filter((name) => name !== basename(file) && !NO_INVENTORY.test(name));
  const found = await Promise.all(
    others.toSorted().map(async (name) => {
      const path = join(directory, name);
      return MAY_HAVE_ETCD.test(await textOf(path)) ? [path] : [];
    }),
  );
  return found.flat();
}

/** Of a file, be it behind a link; empty for what is none, and for what can't be read. */
async function textOf(path: string): Promise<string> {
  try {
    return (await stat(path)).isFile() ? await readTextBounded(path, TYPED_FILE_BYTES) : '';
  } catch {
    return '';
  }
}
