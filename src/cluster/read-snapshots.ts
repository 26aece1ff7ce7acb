import type { SnapshotSchedule } from '../model/cluster.js';
import type { Host } from '../model/inventory.js';
import type { VariableReader } from './variable-reader.js';

/** What {@link readSnapshots} is given of the member. */
interface MemberPlaces {
  readonly dataDir: string;
  readonly reader: VariableReader;
}

/** Which snapshots a host saves of its own member; nothing without a schedule. */
export function readSnapshots(host: Host, { dataDir, reader }: MemberPlaces): SnapshotSchedule | undefined {
  const onCalendar = reader.read(host, 'etcd_snapshot_schedule');
  const directory = reader.readOr(host, 'etcd_snapshot_directory').replace(/(?<=.)\/+$/, '');
  const keep = reader.readOr(host, 'etcd_snapshot_keep');
  const upload = reader.read(host, 'etcd_snapshot_upload');
  if (onCalendar === undefined) {
    warnWithoutEffect(host, reader);
    return undefined;
  }
  const at = host.variables.at('etcd_snapshot_directory');
  // etcd's directory is etcd's; and what is lost with it should not take its snapshots along.
  if (isWithin(directory, dataDir) || isWithin(dataDir, directory))
    reader.report('error', at, 'etcd_snapshot_directory', `${directory}: expected a directory outside ${dataDir}`);
  else if (directory.split('/').length < 3 || /\/\.{1,2}(?:\/|$)/.test(directory))
    reader.report(
      'error',
      at,
      'etcd_snapshot_directory',
      `${directory}: expected a directory of its own, such as /srv/etcd`,
    );
  return { onCalendar, directory, keep, upload };
}

function isWithin(path: string, directory: string): boolean {
  return `${path}/`.startsWith(`${directory.replace(/\/+$/, '')}/`);
}

/** Not an error: it may be switched off for a while. */
function warnWithoutEffect(host: Host, reader: VariableReader): void {
  if (host.variables.names().includes('etcd_snapshot_schedule')) return;
  for (const name of ['etcd_snapshot_directory', 'etcd_snapshot_keep', 'etcd_snapshot_upload'] as const) {
    const at = host.variables.at(name);
    if (at !== undefined) reader.report('warning', at, name, 'has no effect without etcd_snapshot_schedule');
  }
}
