import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Stats } from 'node:fs';
import { ifThere } from './files.js';
import type { HostHandle } from './host.js';

/** Something that a host wrote on its disk since it was made. */
export interface OverlayChange {
  /** Path on the host. */
  readonly path: string;
  /** `removed`: it was in the image, or in what makes the host this host. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'removed' | 'other';
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for what is no file. */
  readonly size: number;
  /** Modification time, milliseconds since 1970. Status changes (chmod, chown) show in mode and owner. */
  readonly mtimeMs: number;
  /** SHA-256 of a file's content, hex; the target of a symlink. */
  readonly content?: string | undefined;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** overlayfs marks a removed path with a character device 0/0 (kernel docs, "whiteouts and opaque directories"). */
function kindOf(stats: Stats): OverlayChange['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  return stats.isCharacterDevice() && stats.rdev === 0 ? 'removed' : 'other';
}

async function changeAt(path: string, hostPath: string): Promise<OverlayChange> {
  const stats = await lstat(path);
  const kind = kindOf(stats);
  const common = { path: hostPath, kind, uid: stats.uid, gid: stats.gid, mtimeMs: stats.mtimeMs };
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  if (kind === 'file') return { ...common, mode, size: stats.size, content: await digestOf(path) };
  if (kind === 'symlink') return { ...common, mode, size: 0, content: await readlink(path) };
  return { ...common, mode, size: 0 };
}

/**
 * Everything that a host wrote on its disk, with nothing left out: also what its own services write. Take one before
 * and one after, and compare them with {@link overlayDifference}. What lies in memory (/run, /tmp, /dev) is not a disk.
 * @returns sorted by path
 */
export async function overlayChanges(handle: HostHandle): Promise<readonly OverlayChange[]> {
  const { changes } = handle.paths;
  const paths = await readdir(changes, { recursive: true });
  const found: OverlayChange[] = [];
  for (const path of paths.sort()) {
    // A file may go while we look; then it is no change any more.
    const change = await ifThere(changeAt(join(changes, path), `/${path}`));
    if (change !== undefined) found.push(change);
  }
  return found;
}

/** What came, went or changed between two looks. */
export interface OverlayDifference {
  readonly path: string;
  readonly before: OverlayChange | undefined;
  readonly after: OverlayChange | undefined;
}

/** Compares two looks at a host's disk. Pure. @returns sorted by path; empty when nothing was written */
export function overlayDifference(
  before: readonly OverlayChange[],
  after: readonly OverlayChange[],
): readonly OverlayDifference[] {
  const then = new Map(before.map((change) => [change.path, change]));
  const now = new Map(after.map((change) => [change.path, change]));
  const paths = [...new Set([...then.keys(), ...now.keys()])].sort();
  return paths
    .map((path) => ({ path, before: then.get(path), after: now.get(path) }))
    .filter((pair) => JSON.stringify(pair.before) !== JSON.stringify(pair.after));
}
