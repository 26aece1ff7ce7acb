import type { Cluster } from '../model/cluster.js';
import { distinctName } from '../model/cluster-name.js';
import { ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';

/**
 * What distinguishes the cluster from others, typed or given: what is done here to the wrong cluster can't be made good.
 * @throws ProvisionError `declined`, `no-terminal`
 */
export async function requireName(
  cluster: Cluster,
  { confirm, yes }: { readonly confirm?: string | undefined; readonly yes?: boolean | undefined },
  { ask }: Pick<Context, 'ask'>,
): Promise<void> {
  const { name, is } = distinctName(cluster);
  const what = is === 'its-name' ? 'the name of the cluster' : 'where clients reach the cluster';
  const otherWay = `--yes --confirm ${quote(name)}`;
  if (confirm !== undefined && yes !== true)
    throw new ProvisionError({
      code: 'declined',
      message: 'declined: --confirm says which cluster is meant, and --yes that nobody is asked: nothing was changed',
      hint: `give ${otherWay}; or leave --confirm out, and type it`,
    });
  const given = (confirm ?? (await ask.typed(`Type ${name}, ${what}, to go on`, `give ${otherWay}`))).trim();
  if (given !== name)
    throw new ProvisionError({
      code: 'declined',
      message: `declined: ${given === '' ? 'nothing' : JSON.stringify(given)} is not ${name}, ${what}: nothing was changed`,
      hint: `look at which cluster the inventory describes; without a terminal: ${otherWay}`,
    });
}
