import { createHash, randomBytes } from 'node:crypto';

/** Bytes with the checksum at their end that etcd puts there. @param size of the database, a multiple of 512 */
export function sealedSnapshot(size: number): Buffer {
  const database = randomBytes(size);
  return Buffer.concat([database, createHash('sha256').update(database).digest()]);
}
