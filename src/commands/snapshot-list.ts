import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { SnapshotList } from '../day-two/snapshot-manifest.js';
import { listSnapshots, snapshotDirectory } from '../day-two/snapshot-store.js';
import { EXIT, ProvisionError } from '../model/errors.js';
import type { Context } from './context.js';

/** The options of `snapshot list`. */
export interface ListSnapshotsOptions {
  readonly format: 'auto' | 'text' | 'json';
}

/**
 * Lists the snapshots of a directory, or those beside an inventory, which may be a directory itself.
 * @throws ProvisionError `unreadable` where neither snapshots nor the place are there
 */
export async function runListSnapshots(place: string, options: ListSnapshotsOptions, context: Context): Promise<void> {
  const { directory, snapshots } = await findSnapshots(place);
  if (options.format === 'json') {
    const list: SnapshotList = { formatVersion: 1, directory, snapshots };
    context.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
  } else {
    const { renderSnapshots } = await import('../report/snapshots-text.js');
    context.stdout.write(renderSnapshots(directory, snapshots));
  }
  context.exit(snapshots.every(({ isThere }) => isThere) ? EXIT.done : EXIT.failed);
}

async function findSnapshots(place: string): Promise<Pick<SnapshotList, 'directory' | 'snapshots'>> {
  const found = await stat(place).catch(() => undefined);
  const beside = snapshotDirectory(dirname(resolve(place)));
  const directories = found?.isDirectory() === true ? [resolve(place), beside] : [beside];
  for (const directory of directories) {
    const snapshots = await listSnapshots(directory);
    if (snapshots.length > 0) return { directory, snapshots };
  }
  if (found !== undefined) return { directory: directories[0] ?? beside, snapshots: [] };
  throw new ProvisionError({
    code: 'unreadable',
    message: `${place}: no such file, and no snapshot is kept beside it`,
    hint: 'name the inventory, or the directory with the snapshots: provision snapshot list INVENTORY-OR-DIRECTORY',
  });
}
