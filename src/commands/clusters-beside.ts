import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { VARIABLES } from '../cluster/known-variables.js';
import { nodeAddress } from '../cluster/node-address.js';
import type { Host, Inventory } from '../model/inventory.js';
import { canonicalIp } from '../model/ip.js';
import { readTextBounded, TYPED_FILE_BYTES } from '../model/read-bounded.js';
import type { Context } from './context.js';
import { openInventory, type InventoryOptions } from './inventory-options.js';

/** Another cluster, whose inventory is in the same directory. */
export interface ClusterBeside {
  readonly file: string;
  /** Of its authority, as {@link realStore} has it. */
  readonly store: string;
  /** The file that names the store; `undefined`: it is the usual one. */
  readonly storeNamedIn: string | undefined;
}

/** An inventory, be it written yet or not, and by what its cluster is known. */
export interface ClusterHere {
  readonly file: string;
  /** As {@link marksOf} has them. */
  readonly marks: readonly string[];
}

/** The inventories in the same directory whose clusters have no mark in common with this one, by their names. */
export async function clustersBeside(
  { file, marks }: ClusterHere,
  options: InventoryOptions,
  context: Pick<Context, 'env'>,
): Promise<readonly ClusterBeside[]> {
  const found: ClusterBeside[] = [];
  for (const sibling of await siblingsOf(file)) {
    const other = await openInventory(sibling, options, context).catch(() => undefined);
    const members = other === undefined ? [] : membersOf(other);
    // Without addresses no cluster can be made of it.
    if (other === undefined || members.every((host) => addressOf(host) === undefined)) continue;
    if (marksOf(other).some((mark) => marks.includes(mark))) continue;
    const named = members.find(({ variables }) => variables.at('etcd_pki_store') !== undefined);
    const store = named === undefined ? undefined : valueOf(named, 'etcd_pki_store');
    found.push({
      file: sibling,
      store: await realStore(resolve(other.directory, store ?? VARIABLES.etcd_pki_store.fallback)),
      storeNamedIn: named?.variables.at('etcd_pki_store')?.file,
    });
  }
  return found;
}

/**
 * By what a cluster is known: where its members, and those that leave it, reach each other, and its virtual IP. Two states of one
 * cluster have one of them in common, however they are logged in at; what runs beside etcd may be of several clusters.
 */
export function marksOf(inventory: Inventory): readonly string[] {
  return membersOf(inventory).flatMap((host) => {
    const ip = valueOf(host, 'etcd_lb_ip');
    return [addressOf(host), ip === undefined ? undefined : virtualIpMark(ip)].filter((mark) => mark !== undefined);
  });
}

/** A virtual IP as one of {@link marksOf}. */
export function virtualIpMark(ip: string): string {
  return `virtual IP ${canonicalIp(ip)}`;
}

/** Whether a variable of its members, or of those that leave, names the store of an inventory. */
export function namesStore(inventory: Inventory): boolean {
  return membersOf(inventory).some(({ variables }) => variables.at('etcd_pki_store') !== undefined);
}

/** Where a store is behind links; one that is not there yet has none. */
export async function realStore(store: string): Promise<string> {
  return realpath(store).catch(() => store);
}

function membersOf({ groups, hosts }: Inventory): readonly Host[] {
  const names = ['etcd', 'etcd_former'].flatMap((group) => groups.get(group) ?? []);
  return names.flatMap((name) => hosts.get(name) ?? []);
}

/** `undefined` also for what is wrong, or can't be opened: whoever uses that inventory gets the error. */
function addressOf(host: Host): string | undefined {
  try {
    return nodeAddress(host)?.address;
  } catch {
    return undefined;
  }
}

/** A text; `undefined` also for what is wrong, or can't be opened. */
function valueOf(host: Host, name: string): string | undefined {
  try {
    const value = host.variables.get(name);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What is no inventory by its name, as Ansible has it (INVENTORY_IGNORE_EXTS). */
const NO_INVENTORY = /^\.|(?:\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)|~)$/;

/** A group etcd, in YAML, JSON or INI; what is encrypted may have one. White space of one line: over empty ones the cost would be quadratic. */
const MAY_HAVE_ETCD = /\betcd["']?\s*:|^[ \t]*\[etcd(?::children)?\]|^\$ANSIBLE_VAULT;/m;

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
