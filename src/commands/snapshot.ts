import { InvalidArgumentError, type Command } from 'commander';
import { addConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { formatOption } from './format-option.js';
import { addInventoryOptions, INVENTORY } from './inventory-options.js';
import { addPlanningOptions } from './run-options.js';
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
export function defineSnapshotCommand(snapshot: Command, context: Context): void {
  const save = snapshot
    .command('save')
    .description('stream a snapshot from a healthy member that has all committed writes to this machine')
    .argument('<inventory>', INVENTORY)
    .option(
      '-o, --output <file>',
      'the file or directory to write (default: .provision/snapshots beside the inventory)',
    )
    .option('--from <host>', 'take it from this member, healthy or not')
    .option('--encrypt', 'encrypt it with age and a passphrase; it is never on this disk in the clear')
    .option(...PASSPHRASE_FILE)
    .option('--keep <number>', 'afterwards keep only this many in the directory, the newest ones', parseKeep)
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
    .description('verify a snapshot by its manifest, its checksum and a trial restore, which is discarded')
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
    .description(
      'plan, ask for the name of the cluster, or where clients reach it, and replace the data of all members with a snapshot',
    )
    .argument('<inventory>', INVENTORY)
    .argument('[file]', 'the snapshot; an interrupted restore continues with the same one')
    .option(
      '--confirm <name>',
      'the name of the cluster, or where clients reach it, in place of typing it; needs --yes',
    )
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
