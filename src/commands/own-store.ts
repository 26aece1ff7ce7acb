import { basename, dirname, extname, resolve } from 'node:path';
import { canonicalIp } from '../model/ip.js';
import type { InventoryAnswers } from '../wizard/inventory-answers.js';
import type { Context } from './context.js';

/**
 * The store that an inventory has to name, where the usual one is that of another cluster, whose inventory is in the same directory;
 * else nothing, as where variables of both name one.
 * @param file where the inventory will be
 * @returns from the directory of the inventory: `pki-NAME`
 */
export async function ownStore(
  file: string,
  { members, leaving, balancer }: InventoryAnswers,
  context: Pick<Context, 'env'>,
): Promise<string | undefined> {
  const { clustersBeside, realStore, virtualIpMark } = await import('./clusters-beside.js');
  const { freeStore } = await import('./refuse-shared-store.js');
  const addresses = [...members, ...leaving].map(({ address }) => canonicalIp(address));
  const marks = [...addresses, ...(balancer?.ip === undefined ? [] : [virtualIpMark(balancer.ip)])];
  const others = await clustersBeside({ file, marks }, {}, context);
  const directory = dirname(resolve(file));
  const usual = await realStore(resolve(directory, 'pki'));
  const isShared = others.some(
    ({ file: other, store, storeNamedIn = other }) => store === usual && resolve(storeNamedIn) === resolve(other),
  );
  return isShared ? freeStore(directory, `pki-${basename(file, extname(file))}`, others) : undefined;
}
