import { createHash } from 'node:crypto';

/** Of SHA-256. */
const DIGEST_BYTES = 32;
/** A database of bbolt is a whole number of these, whatever its page size is. */
const SECTOR_BYTES = 512;

/** What is known of a snapshot's bytes. */
export interface SnapshotDigest {
  readonly bytes: number;
  /** Of all of them, in hex. */
  readonly sha256: string;
  /**
   * The SHA-256 that etcd appends to what it sends (etcd server, `maintenance.go`) is that of what is before it. A
   * database that was copied has none.
   */
  readonly isSealed: boolean;
}

/** Reads a snapshot's bytes as they pass. */
export function digestSnapshot(): { add(chunk: Uint8Array): void; end(): SnapshotDigest } {
  const [whole, database] = [createHash('sha256'), createHash('sha256')];
  let tail = Buffer.alloc(0);
  let bytes = 0;
  return {
    add(chunk) {
      bytes += chunk.length;
      whole.update(chunk);
      const held = Buffer.concat([tail, chunk]);
      const ready = Math.max(0, held.length - DIGEST_BYTES);
      database.update(held.subarray(0, ready));
      tail = Buffer.from(held.subarray(ready));
    },
    end: () => ({
      bytes,
      sha256: whole.digest('hex'),
      isSealed: bytes % SECTOR_BYTES === DIGEST_BYTES && bytes > DIGEST_BYTES && database.digest().equals(tail),
    }),
  };
}
