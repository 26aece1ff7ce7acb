import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ReadableStream, TransformStream } from 'node:stream/web';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import type { Intake } from '../model/remote.js';
import type { Secret } from '../model/secret.js';
import { decryptStream, encryptStream } from '../pki/stream-encryption.js';
import { digestSnapshot, type SnapshotDigest } from './snapshot-digest.js';

const MIB = 1024 * 1024;
/** etcd's own advice is 8 GiB at most (etcd.io, "System limits"); with room for who has not heeded it. */
const MOST_SNAPSHOT_BYTES = 32 * 1024 * MIB;
/** So much stays free where a snapshot is written: a host that sends without end fills no disk. */
const KEEP_FREE_BYTES = 256 * MIB;
/** How often the room is looked at, in bytes written. */
const LOOK_EVERY_BYTES = 16 * MIB;
/** A database of gigabytes is read and written once on the host before its first byte comes. */
const FIRST_BYTE_MS = 30 * 60_000;
const SILENCE_MS = 60_000;

/** What has landed. */
export interface LandedSnapshot extends SnapshotDigest {
  readonly fileBytes: number;
  readonly fileSha256: string;
}

/** Takes a snapshot into a file. {@link SnapshotIntake.land} or {@link SnapshotIntake.abandon} ends it. */
export interface SnapshotIntake extends Intake {
  /** After the last byte: what has come is on the disk, and not yet in its place. */
  complete(): Promise<LandedSnapshot>;
  /** Puts the file in place. @throws ProvisionError when a file of that name has come meanwhile */
  land(): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

/**
 * Begins a file for a snapshot, for its owner only: beside its place until it is whole. Nothing is ever replaced.
 * @param passphrase encrypts it; it is never on the disk in the clear
 * @param logN work factor of the encryption, for tests
 * @throws ProvisionError when there is such a file, or none can be made
 */
export async function openSnapshotIntake(
  path: string,
  passphrase: Secret | undefined,
  logN?: number,
): Promise<SnapshotIntake> {
  if ((await stat(path).catch(() => undefined)) !== undefined) throw isThere(path);
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(part, 'wx', 0o600);
  const writer = countingWriter(file, path);
  const pipe = passphrase === undefined ? writer : await encryptingPipe({ passphrase, logN }, writer);
  const digest = digestSnapshot();
  return {
    maxBytes: MOST_SNAPSHOT_BYTES,
    firstByteMs: FIRST_BYTE_MS,
    silenceMs: SILENCE_MS,
    async take(bytes) {
      digest.add(bytes);
      await pipe.write(bytes);
    },
    async complete() {
      await pipe.end();
      await file.sync();
      await file.close();
      return { ...digest.end(), ...writer.written() };
    },
    async land() {
      // Unlike a rename, a link never replaces what is there.
      await link(part, path).catch((cause: unknown) => {
        throw isThere(path, cause);
      });
      await rm(part);
      await syncDirectory(dirname(path));
    },
    async abandon() {
      await pipe.giveUp();
      await file.close().catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}

function isThere(path: string, cause?: unknown): ProvisionError {
  return new ProvisionError({
    code: 'file-is-there',
    message: `${path} is there: a snapshot replaces no file`,
    hint: 'give another name: -o FILE',
    cause,
  });
}

/** Where bytes go, one after the other. */
interface Pipe {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  giveUp(): Promise<void>;
}

interface CountingWriter extends Pipe {
  written(): Pick<LandedSnapshot, 'fileBytes' | 'fileSha256'>;
}

function countingWriter(file: FileHandle, path: string): CountingWriter {
  const hash = createHash('sha256');
  let size = 0;
  let lookAt = 0;
  return {
    async write(bytes) {
      if (size >= lookAt) {
        await requireRoom(path);
        lookAt = size + LOOK_EVERY_BYTES;
      }
      for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
      hash.update(bytes);
      size += bytes.length;
    },
    end: () => Promise.resolve(),
    giveUp: () => Promise.resolve(),
    written: () => ({ fileBytes: size, fileSha256: hash.digest('hex') }),
  };
}

async function requireRoom(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  if (bavail * bsize >= KEEP_FREE_BYTES) return;
  throw new ProvisionError({
    code: 'no-room',
    message: `less than ${KEEP_FREE_BYTES / MIB} MiB are free in ${dirname(path)}: they stay free`,
    hint: 'make room, or give a place that has some: -o FILE; --keep N removes old snapshots',
  });
}

/** Encrypts what is written, as it comes. */
async function encryptingPipe(
  { passphrase, logN }: { readonly passphrase: Secret; readonly logN: number | undefined },
  to: Pipe,
): Promise<Pipe> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encrypted = await encryptStream(readable, passphrase, logN);
  async function drain(): Promise<void> {
    for await (const chunk of encrypted) await to.write(chunk);
  }
  const drained = drain();
  // Where it fails, whoever writes next hears of it.
  drained.catch(() => undefined);
  const failure = new Promise<never>((_, reject) => {
    drained.catch(reject);
  });
  failure.catch(() => undefined);
  return {
    write: (bytes) => Promise.race([writer.write(bytes), failure]),
    async end() {
      await Promise.race([writer.close(), failure]);
      await drained;
    },
    async giveUp() {
      await writer.abort().catch(() => undefined);
      await drained.catch(() => undefined);
    },
  };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Reads a snapshot, decrypted as it is read.
 * @throws ProvisionError for a wrong passphrase or a damaged file
 */
export async function* readSnapshot(path: string, passphrase: Secret | undefined): AsyncGenerator<Uint8Array> {
  const bytes = createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
  if (passphrase === undefined) yield* bytes;
  else yield* decryptStream(ReadableStream.from(bytes), passphrase, path);
}

/** The size and SHA-256 of a file as it lies there. @throws the system's error */
export async function digestFile(path: string): Promise<Pick<LandedSnapshot, 'fileBytes' | 'fileSha256'>> {
  const hash = createHash('sha256');
  let fileBytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    fileBytes += chunk.length;
  }
  return { fileBytes, fileSha256: hash.digest('hex') };
}

/** The first bytes of every age file (age-encryption.org/v1). */
const AGE_MAGIC = 'age-encryption.org/';

/** Whether a snapshot is encrypted, by its first bytes. @throws ProvisionError when it can't be read */
export async function isEncrypted(path: string): Promise<boolean> {
  // A pipe or a device has no end that could be waited for, and can't be read twice.
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() === false)
    throw new ProvisionError({
      code: 'file-unreadable',
      message: `${path} is not a regular file`,
      hint: 'give the file of a snapshot: provision snapshot list INVENTORY',
    });
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new ProvisionError({
      code: 'file-unreadable',
      message: `${path} cannot be read: ${fileReason(cause)}`,
      hint: 'list snapshots with: provision snapshot list INVENTORY',
      cause,
    });
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(AGE_MAGIC.length), 0);
    return buffer.toString('latin1', 0, bytesRead) === AGE_MAGIC;
  } finally {
    await file.close();
  }
}
