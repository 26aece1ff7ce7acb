import { ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';

/** The cluster's name, typed or given: what is done here to the wrong cluster can't be made good. @throws ProvisionError `declined` */
export async function requireName(
  name: string,
  { confirm }: { readonly confirm?: string | undefined },
  { ask }: Pick<Context, 'ask'>,
): Promise<void> {
  const given = confirm ?? (await ask.typed(`Type the name of the cluster, ${name}, to go on`));
  if (given !== name)
    throw new ProvisionError({
      code: 'declined',
      message: `declined: ${given === '' ? 'nothing' : given} is not the name of the cluster, ${name}: nothing was changed`,
      hint: `its name is etcd_cluster_token; without a terminal: --yes --confirm ${quote(name)}`,
    });
}
