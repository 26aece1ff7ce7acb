import { z } from 'zod';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Intake, Output, Transport } from '../model/remote.js';
import { saveSnapshotScript, SNAPSHOT_STATUS } from '../shell/snapshot.js';
import type { SnapshotSource } from './snapshot-source.js';

/** Longer than any download; silence ends it much earlier. */
const SAVE_TIMEOUT_MS = 24 * 60 * 60_000;

/** `etcdctl snapshot status -w json`, of 3.4 to 3.6. */
const statusSchema = z.object({
  hash: z.number().int(),
  revision: z.number().int().nonnegative(),
  totalKey: z.number().int().nonnegative(),
  totalSize: z.number().int().nonnegative(),
});

/** What etcd's tool says of a snapshot. */
export type SnapshotStatus = z.infer<typeof statusSchema>;

/** A database is at most as large as the member says, plus the checksum; a page more for what comes meanwhile. */
const GROWTH = 1.2;
const SPARE_BYTES = 64 * 1024 * 1024;

/**
 * Lets the host of a member take a snapshot, and streams it here.
 * @throws RemoteError, what the intake throws
 */
export async function downloadSnapshot(
  { member, status, confirmed }: SnapshotSource,
  transport: Transport,
  intake: Intake,
): Promise<SnapshotStatus> {
  const output = await transport.download(
    {
      summary: 'save a snapshot',
      script: saveSnapshotScript(member, {
        needBytes: Math.ceil(status.dbSize * GROWTH) + SPARE_BYTES,
        caughtUp: confirmed === undefined ? 'not-asked' : 'first',
      }),
      timeoutMs: SAVE_TIMEOUT_MS,
    },
    intake,
  );
  if (output.status !== 0) throw saveFailed(member.host, output);
  return readSnapshotStatus(member.host, output.stderr);
}

function saveFailed(host: string, { status, stderr }: Output): RemoteError {
  const [last = ''] = stderr.trimEnd().split('\n').slice(-1);
  return new RemoteError({
    code: 'command-failed',
    host,
    command: 'save a snapshot',
    status,
    message: `${host}: no snapshot was saved (status ${status}): ${last.slice(0, 500)}`,
  });
}

/**
 * Finds what the tool said of the snapshot in a script's stderr.
 * @throws ProvisionError `snapshot-unreadable`
 */
export function readSnapshotStatus(host: string, stderr: string): SnapshotStatus {
  const line = stderr.split('\n').findLast((each) => each.startsWith(SNAPSHOT_STATUS)) ?? '';
  try {
    return statusSchema.parse(JSON.parse(line.slice(SNAPSHOT_STATUS.length)));
  } catch {
    throw new ProvisionError({
      code: 'snapshot-unreadable',
      message: `${host}: its etcd tool could not read the snapshot`,
      hint: `try on it: etcdctl snapshot status, or etcdutl snapshot status`,
    });
  }
}
