import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** A password, a passphrase, a certificate or a key. */
export const SECRET_FILE_BYTES = 64 * 1024;

/** A playbook, a settings file of ssh: what people type. */
export const TYPED_FILE_BYTES = 1024 * 1024;

/** A template, or a file that is copied to hosts: as much as a template may give. */
export const COPIED_FILE_BYTES = 16 * 1024 * 1024;

/** known_hosts of 20 000 hosts with three keys each has 24 MiB; a saved plan of as many, 100. */
export const LARGE_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Reads a file that may be anything: a pipe (`<(command)`), a device, one without an end. Everything that a person names is
 * read by this or {@link readBoundedSync} (a lint rule).
 * @param maxBytes more are not read
 * @throws RangeError when it holds more; the file system's error for a directory, and what cannot be read
 */
export function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  return collect(createReadStream(path), maxBytes);
}

/**
 * Reads a file of a directory in which this program keeps files, which nobody has named: a pipe there is nobody's, and is not waited for.
 * @throws RangeError when it holds more than `maxBytes`; Error for what is no file; the file system's error
 */
export async function readFound(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is not a regular file');
    return await collect(file.createReadStream({ autoClose: false }), maxBytes);
  } finally {
    await file.close();
  }
}

async function collect(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) throw tooLong(maxBytes);
  }
  return Buffer.concat(chunks);
}

/** {@link readBounded}, as UTF-8. */
export async function readTextBounded(path: string, maxBytes: number): Promise<string> {
  return (await readBounded(path, maxBytes)).toString('utf8');
}

/** {@link readTextBounded}, where nobody can wait. */
export function readTextBoundedSync(path: string, maxBytes: number): string {
  return readBoundedSync(path, maxBytes).toString('utf8');
}

/** {@link readBounded}, where nobody can wait. */
export function readBoundedSync(path: string, maxBytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = Buffer.alloc(64 * 1024);
      const count = readSync(file, chunk);
      if (count === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, count));
      size += count;
      if (size > maxBytes) throw tooLong(maxBytes);
    }
  } finally {
    closeSync(file);
  }
}

function tooLong(maxBytes: number): RangeError {
  return new RangeError(`it holds more than ${Math.floor(maxBytes / 1024)} KiB`);
}
