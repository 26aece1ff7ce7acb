import { basename, dirname, extname, resolve } from 'node:path';
import { canonicalIp } from '../model/ip.js';
import type { InventoryAnswers } from '../wizard/inventory-answers.js';
import type { Context } from './context.js';

/**
 * The store that an inventory has to name, where the usual one is that of another cluster, whose inventory is in the same directory;
 * else nothing.
 * @param file where the inventory will be
 * @returns from the directory of the inventory: `pki-NAME`
 */
export async function ownStore(
  file: string,
  { members, leaving, controlPlanes, balancer }: InventoryAnswers,
  context: Pick<Context, 'env'>,
): Promise<string | undefined> {
  const { otherClusterBeside } = await import('./refuse-shared-store.js');
  const hosts = [...members, ...leaving, ...controlPlanes, ...(balancer?.hosts ?? [])];
  const addresses = hosts.map(({ address }) => canonicalIp(address));
  const other = await otherClusterBeside({ file, store: resolve(dirname(file), 'pki'), addresses }, {}, context);
  return other === undefined ? undefined : `pki-${basename(file, extname(file))}`;
}
