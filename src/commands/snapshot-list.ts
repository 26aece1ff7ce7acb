import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { SnapshotList } from '../day-two/snapshot-manifest.js';
import { listSnapshots, snapshotDirectory } from '../day-two/snapshot-store.js';
import { EXIT } from '../model/errors.js';
import type { Context } from './context.js';

/** The options of `snapshot list`. */
export interface ListSnapshotsOptions {
  readonly format: 'auto' | 'text' | 'json';
}

/** Lists the snapshots of a directory, or those beside an inventory. */
export async function runListSnapshots(place: string, options: ListSnapshotsOptions, context: Context): Promise<void> {
  const found = await stat(place).catch(() => undefined);
  const directory = found?.isDirectory() === true ? resolve(place) : snapshotDirectory(dirname(resolve(place)));
  const snapshots = await listSnapshots(directory);
  if (options.format === 'json') {
    const list: SnapshotList = { formatVersion: 1, directory, snapshots };
    context.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
  } else {
    const { renderSnapshots } = await import('../report/snapshots-text.js');
    context.stdout.write(renderSnapshots(directory, snapshots));
  }
  context.exit(snapshots.every(({ isThere }) => isThere) ? EXIT.done : EXIT.failed);
}
