import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFound } from '../model/read-bounded.js';
import { writeNew } from '../pki/store-files.js';
import { snapshotManifestSchema, type SnapshotList, type SnapshotManifest } from './snapshot-manifest.js';

const MOST_MANIFEST_BYTES = 256 * 1024;
const SUFFIX = '.json';

/** Snapshots of one inventory are kept beside it, in this directory. */
export function snapshotDirectory(inventoryDirectory: string): string {
  return join(inventoryDirectory, '.provision', 'snapshots');
}

/** Where the manifest of a snapshot is. */
export function manifestPath(snapshot: string): string {
  return `${snapshot}${SUFFIX}`;
}

/** @returns `false` when there is such a file already: it is left as it is */
export async function writeManifest(snapshot: string, manifest: SnapshotManifest): Promise<boolean> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  return writeNew(manifestPath(snapshot), text, 0o600, randomBytes(6).toString('hex'));
}

/** The manifest of a snapshot; undefined where there is none, or none of ours. */
export async function readManifest(snapshot: string): Promise<SnapshotManifest | undefined> {
  try {
    const text = (await readFound(manifestPath(snapshot), MOST_MANIFEST_BYTES)).toString('utf8');
    return snapshotManifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** All snapshots of a directory that have a manifest of ours, the oldest first. */
export async function listSnapshots(directory: string): Promise<SnapshotList['snapshots']> {
  const names = await readdir(directory).catch(() => []);
  const listed = await Promise.all(
    names
      .filter((name) => name.endsWith(SUFFIX))
      .map(async (name) => {
        const path = join(directory, name.slice(0, -SUFFIX.length));
        const manifest = await readManifest(path);
        // A manifest that was copied to another name is about another file.
        if (manifest === undefined || join(directory, manifest.file) !== path) return [];
        const found = await stat(path).catch(() => undefined);
        return [{ path, isThere: found?.isFile() === true && found.size === manifest.fileBytes, manifest }];
      }),
  );
  return listed.flat().toSorted((a, b) => (a.manifest.savedAt < b.manifest.savedAt ? -1 : 1));
}

/**
 * Removes the oldest snapshots of one cluster: beside an inventory there may be others, whose snapshots have the same names. Only what
 * a manifest of ours names is removed, and only where it is as large as that says.
 * @param clusterId a decimal text; after a restore it is another one, and what was saved before stays
 * @param keep how many stay, from 1
 * @returns the paths that are gone
 */
export async function removeOldSnapshots(
  directory: string,
  { clusterId, keep }: { readonly clusterId: string; readonly keep: number },
): Promise<readonly string[]> {
  const own = (await listSnapshots(directory)).filter((each) => each.isThere && each.manifest.clusterId === clusterId);
  const old = own.slice(0, Math.max(0, own.length - keep));
  for (const { path } of old) {
    // Without its manifest a snapshot would be nobody's; a manifest without its file is seen by `list`.
    await rm(path);
    await rm(manifestPath(path));
  }
  return old.map(({ path }) => path);
}
