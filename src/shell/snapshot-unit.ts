/** Name of the service that saves a snapshot, without `.service`; its timer has the same. Also how it signs in the journal. */
export const SNAPSHOT_UNIT = 'provision-etcd-snapshot';

/** That timer. */
export const SNAPSHOT_TIMER = `${SNAPSHOT_UNIT}.timer`;

/** What a host has for it. */
export const SNAPSHOT_FILES = {
  timer: `/etc/systemd/system/${SNAPSHOT_TIMER}`,
  service: `/etc/systemd/system/${SNAPSHOT_UNIT}.service`,
  script: '/usr/local/lib/provision/etcd-snapshot',
} as const;

/** How much later than the schedule says a run may begin, in seconds. */
export const SNAPSHOT_DELAY_S = 300;

/** What each line of the uploading program begins with in the journal. */
export const UPLOAD_SAYS = 'upload: ';

/** The names that a host uses in the directory of its snapshots. */
export interface SnapshotNames {
  /** What the names of snapshots begin with; their time and `.db` follow. */
  readonly prefix: string;
  /** What the host knows of its last good snapshot: lines of `name=value`. */
  readonly stamp: string;
  /** The directory of one that is being saved. */
  readonly stage: string;
}

/** Each has the host in it, so that hosts may share a directory, as on NFS: none removes what another one writes. */
export function snapshotNames(host: string): SnapshotNames {
  const name = host.replaceAll(/[^\w.-]/g, '_');
  return { prefix: `etcd-${name}-`, stamp: `last-good-${name}`, stage: `.new-${name}` };
}

/** What may be in a directory of snapshots, of any host. */
export const SNAPSHOT_NAMES = /^(?:etcd-[^/]*\.db(?:\.json)?|last-good-[^/]+|\.new-[^/]+|lost\+found)$/;
