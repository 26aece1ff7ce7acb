import { InvalidArgumentError, type Command } from 'commander';
import { addConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { formatOption } from './format-option.js';
import { addInventoryOptions } from './inventory-options.js';
import { addPlanningOptions, INVENTORY } from './run-options.js';
import { reportOption } from './report-option.js';
import { addActingOptions } from './apply.js';
import type { ListSnapshotsOptions } from './snapshot-list.js';
import type { RestoreSnapshotOptions } from './snapshot-restore.js';
import type { SaveSnapshotOptions } from './snapshot-save.js';
import type { VerifySnapshotOptions } from './snapshot-verify.js';

const PASSPHRASE_FILE = [
  '--passphrase-file <file>',
  "the passphrase: the same as of the CA's key (or set PROVISION_CA_PASSPHRASE)",
] as const;

/** `provision snapshot save|list|verify|restore`: the data of the cluster on this machine. */
export function addSnapshotCommand(program: Command, context: Context): void {
  const snapshot = program.command('snapshot').description("save the cluster's data, list, verify and restore it");
  const save = snapshot
    .command('save')
    .description('stream a snapshot of a healthy member that has all that was agreed on to this machine')
    .argument('<inventory>', INVENTORY)
    .option('-o, --output <file>', 'where to (default: .provision/snapshots beside the inventory)')
    .option('--from <host>', 'of this member, healthy or not')
    .option('--encrypt', 'encrypt it with age and a passphrase; it is never on this disk in the clear')
    .option(...PASSPHRASE_FILE)
    .option('--keep <number>', 'then remove the oldest ones of the same directory but for so many', parseKeep)
    .addOption(formatOption('one event a line'));
  addConnectionOptions(addInventoryOptions(save)).action(async (inventory: string, options: SaveSnapshotOptions) => {
    const { runSaveSnapshot } = await import('./snapshot-save.js');
    await runSaveSnapshot(inventory, options, context);
  });
  snapshot
    .command('list')
    .description('the snapshots that were saved, the oldest first')
    .argument('<inventory-or-directory>', 'an inventory, or the directory that they are in')
    .addOption(formatOption('one object'))
    .action(async (place: string, options: ListSnapshotsOptions) => {
      const { runListSnapshots } = await import('./snapshot-list.js');
      await runListSnapshots(place, options, context);
    });
  const verify = snapshot
    .command('verify')
    .description('compare a snapshot with its manifest and its checksum, and restore it on trial, then throw that away')
    .argument('<file>', 'the snapshot')
    .argument('[inventory]', 'where the host of --on is')
    .option('--on <host>', 'restore it on trial on this host: without etcdutl or etcdctl on this machine')
    .option(...PASSPHRASE_FILE);
  addConnectionOptions(addInventoryOptions(verify)).action(
    async (file: string, inventory: string | undefined, options: VerifySnapshotOptions) => {
      const { runVerifySnapshot } = await import('./snapshot-verify.js');
      await runVerifySnapshot(file, inventory, { options, context });
    },
  );
  addRestore(snapshot, context);
}

function addRestore(snapshot: Command, context: Context): void {
  const restore = snapshot
    .command('restore')
    .description('plan, have the name of the cluster typed, and put a snapshot in place of the data of all members')
    .argument('<inventory>', INVENTORY)
    .argument('[file]', 'the snapshot; a restore that was cut off goes on with the same one')
    .option('--confirm <name>', 'the name of the cluster (etcd_cluster_token), in place of typing it; needs --yes')
    .option('--take-back', 'undo an unfinished restore: everything as it was before it')
    .option('--other-cluster', 'the snapshot may be of another cluster, or of this one before it was restored')
    .option('--dry-run', 'show what would be done; changes nothing');
  addActingOptions(addPlanningOptions(restore))
    .addOption(reportOption())
    .action(async (inventory: string, file: string | undefined, options: RestoreSnapshotOptions) => {
      const { runRestoreSnapshot } = await import('./snapshot-restore.js');
      await runRestoreSnapshot(inventory, file, { options, context });
    });
}

function parseKeep(text: string): number {
  const keep = Number(text);
  if (!Number.isInteger(keep) || keep < 1) throw new InvalidArgumentError('expected a whole number, from 1');
  return keep;
}
