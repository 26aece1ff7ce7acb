import { hex } from '../facts/etcd-membership.js';
import type { SnapshotList } from '../day-two/snapshot-manifest.js';

/** The list of snapshots as a person reads it. */
export function renderSnapshots(directory: string, snapshots: SnapshotList['snapshots']): string {
  if (snapshots.length === 0) return `no snapshot is in ${directory}\n`;
  const clusters = new Set(snapshots.map(({ manifest }) => manifest.clusterId));
  const rows = snapshots.map(({ path, isThere, manifest }) => {
    const { savedAt, revision, bytes, encryption, from, etcdVersion } = manifest;
    const notes = [
      ...(clusters.size > 1 ? [`cluster ${hex(manifest.clusterId)}`] : []),
      ...(encryption === 'age' ? ['encrypted'] : []),
      ...(isThere ? [] : ['MISSING, or of another size than its manifest says']),
    ];
    const facts = `revision ${revision}  ${(bytes / 1024 / 1024).toFixed(1)} MiB  etcd ${etcdVersion}  from ${from.host}`;
    return `${savedAt}  ${facts}${notes.length === 0 ? '' : `  ${notes.join(', ')}`}\n  ${path}`;
  });
  return `${rows.join('\n')}\n`;
}
