import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { FoundLock } from '../engine/lock-holder.js';
import { EXIT, ProvisionError } from '../model/errors.js';
import type { Connector } from '../model/remote.js';
import { printable } from '../report/terminal-text.js';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { addInventoryOptions, INVENTORY, openInventory, type InventoryOptions } from './inventory-options.js';
import { withHosts } from './with-hosts.js';

interface UnlockOptions extends ConnectionOptions, InventoryOptions {
  readonly yes?: boolean;
}

/** `provision unlock INVENTORY`: breaks the lock of a run that can't release it any more. */
export function defineUnlockCommand(verb: Command, context: Context): void {
  const unlock = verb.argument('<inventory>', INVENTORY).option('-y, --yes', 'do not ask');
  addConnectionOptions(addInventoryOptions(unlock)).action(async (inventory: string, options: UnlockOptions) => {
    await runUnlock(inventory, options, context);
  });
}

async function runUnlock(file: string, options: UnlockOptions, context: Context): Promise<void> {
  const inventory = await openInventory(file, options, context);
  // There is a lock on every host that its run changed: all of the inventory may keep one.
  const hosts = [...inventory.hosts.keys()];
  const ways = { options, context };
  context.exit(await withHosts(inventory, ways, (connector) => unlockHosts(hosts, connector, options, context)));
}

/** @returns the exit code: done only when there is no lock on any host of the inventory */
async function unlockHosts(
  hosts: readonly string[],
  connector: Connector,
  { yes }: UnlockOptions,
  context: Context,
): Promise<number> {
  const { breakLocks, findLocks } = await import('../engine/break-locks.js');
  const say = (line: string): boolean => context.stdout.write(`${printable(line)}\n`);
  const complain = (line: string): boolean => context.stderr.write(`${printable(line)}\n`);
  const { locks, silent } = await findLocks(hosts, connector);
  for (const line of silent) complain(`can't be asked: ${line}`);
  if (locks.length === 0) say(silent.length === 0 ? 'there is no lock' : 'there is no lock on the hosts that answered');
  else {
    await announce(locks, say);
    if (yes !== true && !(await context.ask.confirm('Are you sure that this run has ended?')))
      throw new ProvisionError({ code: 'declined', message: 'declined: the lock stays' });
  }
  const { unlocked, standing } = await breakLocks(locks, connector);
  if (unlocked.length > 0) say(`unlocked ${unlocked.join(', ')}`);
  for (const line of standing) complain(`not unlocked: ${line}`);
  return silent.length + standing.length === 0 ? EXIT.done : EXIT.failed;
}

/** @throws ProvisionError `still-running` when the run of a lock goes on on this machine */
async function announce(locks: readonly FoundLock[], say: (line: string) => unknown): Promise<void> {
  const { describeHolder } = await import('../engine/lock-holder.js');
  const { isLivingProcess } = await import('../model/process-mark.js');
  for (const { host, holder } of locks)
    say(`${host}: locked by ${describeHolder(holder)}${holder?.machine === hostname() ? ', on this machine' : ''}`);
  const living = locks.find(({ holder }) => holder !== undefined && isLivingProcess(holder.process))?.holder;
  if (living === undefined) return;
  throw new ProvisionError({
    code: 'still-running',
    message: `that run is still active on this machine, as process ${living.pid}: the lock stays`,
    hint: `stop it first: kill ${living.pid}`,
  });
}
