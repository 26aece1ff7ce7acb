import { basename, dirname, extname, resolve } from 'node:path';
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
  const { loginPlace, otherClusterBeside } = await import('./refuse-shared-store.js');
  const named = [...members, ...leaving, ...controlPlanes, ...(balancer?.hosts ?? [])];
  const hosts = named.map(({ address, connection }) => loginPlace({ address, ...connection }));
  const other = await otherClusterBeside({ file, store: resolve(dirname(file), 'pki'), hosts }, {}, context);
  return other === undefined ? undefined : `pki-${basename(file, extname(file))}`;
}
