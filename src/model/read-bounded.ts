import { createReadStream } from 'node:fs';

/** A password, a passphrase, a certificate or a key. */
export const SECRET_FILE_BYTES = 64 * 1024;

/**
 * Reads a file that may be anything: a pipe (`<(command)`), a device, one without an end.
 * @param maxBytes more are not read
 * @throws RangeError when it holds more; the file system's error for a directory, and what cannot be read
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) throw new RangeError(`it holds more than ${maxBytes / 1024} KiB`);
  }
  return Buffer.concat(chunks);
}
