import { hostname } from 'node:os';
import type { Command } from 'commander';
import { EXIT, ProvisionError } from '../model/errors.js';
import { addConnectionOptions, createConnector, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { addInventoryOptions, openInventory, type InventoryOptions } from './inventory-options.js';

interface UnlockOptions extends ConnectionOptions, InventoryOptions {
  readonly yes?: boolean;
}

/** `provision unlock INVENTORY`: breaks the lock of a run that can't release it any more. */
export function addUnlockCommand(program: Command, context: Context): void {
  const unlock = program
    .command('unlock')
    .description('break the lock that a lost run has left')
    .argument('<inventory>', 'as for apply')
    .option('-y, --yes', 'do not ask');
  addConnectionOptions(addInventoryOptions(unlock)).action(async (inventory: string, options: UnlockOptions) => {
    await runUnlock(inventory, options, context);
  });
}

async function runUnlock(file: string, options: UnlockOptions, context: Context): Promise<void> {
  const { describeCluster } = await import('../cluster/describe-cluster.js');
  const { breakLock, describeHolder, findLock } = await import('../engine/lock.js');
  const { lockHosts } = await import('./session.js');
  const inventory = await openInventory(file, options, context);
  // The lock belongs to whom apply became, and apply becomes root as soon as a play says so.
  const connector = await createConnector({ ...options, become: true }, inventory, {
    env: context.env,
    ask: context.ask.secret,
    onNotice: (host, message) => context.stderr.write(`${host}: ${message}\n`),
  });
  try {
    const hosts = lockHosts(inventory, describeCluster(inventory));
    const asked = await Promise.allSettled(hosts.map((host) => findLock(host, connector)));
    const locks = asked.flatMap((each) =>
      each.status === 'fulfilled' && each.value !== undefined ? [each.value] : [],
    );
    for (const each of asked) if (each.status === 'rejected') context.stderr.write(`${String(each.reason)}\n`);
    for (const { host, holder } of locks)
      context.stdout.write(`${host}: locked by ${describeHolder(holder)}${nearby(holder?.machine)}\n`);
    if (locks.length > 0 && options.yes !== true && !(await context.ask.confirm('Has that run ended for certain?')))
      throw new ProvisionError({ code: 'declined', message: 'declined: the lock stays' });
    for (const lock of locks) await breakLock(lock, connector);
    context.stdout.write(
      locks.length === 0 ? 'there is no lock\n' : `unlocked ${locks.map(({ host }) => host).join(', ')}\n`,
    );
    context.exit(asked.some((each) => each.status === 'rejected') ? EXIT.failed : EXIT.done);
  } finally {
    await connector.close();
  }
}

function nearby(machine: string | undefined): string {
  return machine === hostname() ? ', on this machine' : '';
}
