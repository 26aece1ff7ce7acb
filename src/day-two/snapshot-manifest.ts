import { z } from 'zod';

// The one source of what is beside every snapshot: its types, and docs/reference/snapshots.md.

/** A name that is a file of the same directory, and nothing else. */
const plainName = z
  .string()
  .regex(/^[^/\0]+$/)
  .refine((name) => name !== '.' && name !== '..');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.number().int().nonnegative();

const manifest = z.strictObject({
  formatVersion: z.literal(1),
  file: plainName.describe('The snapshot, in the same directory.'),
  cluster: z.string().describe('Name of the cluster: `etcd_cluster_token`.'),
  clusterId: z.string().describe('Decimal, as etcd says it.'),
  members: z
    .array(z.strictObject({ name: z.string(), peerUrls: z.array(z.string()) }))
    .describe('All members when it was saved.'),
  from: z.strictObject({ host: z.string(), name: z.string(), memberId: z.string() }).describe('Who was asked for it.'),
  etcdVersion: z.string(),
  revision: z.number().int().nonnegative(),
  keys: size.describe('As etcd counts them: revisions of keys that are not compacted.'),
  liveKeys: size.optional().describe('Only of a schedule: how many keys the cluster had then.'),
  hash: z.number().int().describe('As `snapshot status` says it.'),
  bytes: size.describe('Of the snapshot itself, not encrypted.'),
  sha256: sha256.describe('The same.'),
  encryption: z.enum(['none', 'age']).describe('`age`: `age -d FILE` opens it, with the passphrase.'),
  fileBytes: size.describe('Of the file as it lies here.'),
  fileSha256: sha256.describe('The same.'),
  savedAt: z.iso.datetime().describe('ISO 8601, UTC.'),
  savedBy: z.string().describe('user@machine'),
  tool: z.string().describe('The version of this program.'),
});

/** What is beside every snapshot, as `FILE.json`. */
export const snapshotManifestSchema = manifest;

/** {@link snapshotManifestSchema} */
export type SnapshotManifest = z.infer<typeof manifest>;

/** What `snapshot list --format json` prints. */
export const snapshotListSchema = z.strictObject({
  formatVersion: z.literal(1),
  directory: z.string(),
  snapshots: z
    .array(
      z.strictObject({
        path: z.string(),
        isThere: z.boolean().describe('Of the size that the manifest says.'),
        manifest,
      }),
    )
    .describe('The oldest first.'),
});

/** {@link snapshotListSchema} */
export type SnapshotList = z.infer<typeof snapshotListSchema>;
