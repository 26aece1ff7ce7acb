import type { Inventory } from '../model/inventory.js';
import type { Connector } from '../model/remote.js';
import { printable } from '../report/terminal-text.js';
import { createConnector, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';

/**
 * The ways to the hosts of an inventory, for a verb that has no playbook. It is root there, as `apply` is as soon as a play says
 * so: keys, locks and etcd's data belong to root.
 * @param use is given them; they are closed when it ends
 * @throws whatever `use` throws
 */
export async function withHosts<T>(
  inventory: Pick<Inventory, 'hosts'>,
  { options, context }: { readonly options: ConnectionOptions; readonly context: Context },
  use: (connector: Connector) => Promise<T>,
): Promise<T> {
  const connector = await createConnector({ ...options, become: true }, inventory, {
    env: context.env,
    ask: context.ask.secret,
    timing: context.timing,
    onNotice: (host, message) => {
      context.stderr.write(`${printable(`${host}: ${message}`)}\n`);
    },
  });
  try {
    return await use(connector);
  } finally {
    await connector.close();
  }
}
