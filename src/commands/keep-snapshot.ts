import { basename, dirname, join, resolve } from 'node:path';
import { downloadSnapshot } from '../day-two/save-snapshot.js';
import { openSnapshotIntake, type SnapshotIntake } from '../day-two/snapshot-file.js';
import type { SnapshotManifest } from '../day-two/snapshot-manifest.js';
import { listSnapshots, snapshotDirectory, writeManifest } from '../day-two/snapshot-store.js';
import { saveOneOf } from '../day-two/save-one-of.js';
import { isOfOtherMembers } from '../day-two/whose-snapshot.js';
import { requireConfirmed } from '../day-two/confirm-snapshot.js';
import { chooseSources, type SnapshotSource } from '../day-two/snapshot-source.js';
import type { World } from '../engine/world.js';
import type { Cluster } from '../model/cluster.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { Secret } from '../model/secret.js';
import type { PassphraseSource } from '../pki/passphrase.js';
import { VERSION } from '../model/version.js';
import { quote } from '../shell/quote.js';
import { whoRuns } from './lock-holder.js';

/** Where a snapshot comes from, and goes. */
export interface WantedSnapshot {
  readonly source: SnapshotSource;
  readonly path: string;
  /** Given: it is encrypted. */
  readonly passphrase: Secret | undefined;
}

/** The cluster that is saved, and the way to its hosts. */
export interface SavedCluster {
  readonly cluster: Cluster;
  readonly world: World;
}

/** Where the snapshots of an inventory go, named after their time. */
export function usualSnapshotPath(inventory: string, begun: Date, passphrase: Secret | undefined): string {
  const time = begun.toISOString().replaceAll(':', '-');
  const name = `etcd-${time}.db${passphrase === undefined ? '' : '.age'}`;
  return join(snapshotDirectory(dirname(resolve(inventory))), name);
}

/** What was saved, for a sentence. */
export function describeSaved({ revision, keys, bytes, encryption }: SnapshotManifest): string {
  const encrypted = encryption === 'age' ? ', encrypted' : '';
  return `revision ${revision}, ${counted(keys, 'key')}, ${(bytes / 1024 / 1024).toFixed(1)} MiB${encrypted}`;
}

/**
 * The passphrase of a snapshot that nobody asked for by itself: it is encrypted where the newest one of this cluster beside the
 * inventory is. Whoever keeps them so wants none of them on this disk in the clear.
 * @returns undefined: not encrypted
 * @throws ProvisionError where there is none, and nobody to ask
 */
export async function passphraseForNext(
  inventory: string,
  { members }: Pick<Cluster, 'members'>,
  source: PassphraseSource,
): Promise<Secret | undefined> {
  const saved = await listSnapshots(snapshotDirectory(dirname(resolve(inventory))));
  const newest = saved.findLast(({ manifest }) => !isOfOtherMembers(manifest, members));
  return newest?.manifest.encryption === 'age' ? source.chosen('the snapshot') : undefined;
}

/** Saves a snapshot before a change that can't be undone: from a healthy member that has all, beside the inventory. */
export async function saveSnapshotFirst(
  inventory: string,
  { cluster, world }: SavedCluster,
  passphrase: Secret | undefined,
): Promise<void> {
  const look = world.newLook();
  const sources = await chooseSources({ cluster, probe: (host) => look.probe(host) });
  const path = usualSnapshotPath(inventory, new Date(world.now()), passphrase);
  const manifest = await saveOneOf(
    sources,
    (source) => saveSnapshotTo({ source, path, passphrase }, inventory, { cluster, world }),
    world.emit,
  );
  world.emit({ type: 'notice', message: `saved ${path}: ${describeSaved(manifest)}` });
}

/** Streams a snapshot here, and puts it and its manifest in place: whole, or nothing of it. @throws ProvisionError, RemoteError */
export async function saveSnapshotTo(
  wanted: WantedSnapshot,
  inventory: string,
  saved: SavedCluster,
): Promise<SnapshotManifest> {
  const intake = await openSnapshotIntake(wanted.path, wanted.passphrase);
  try {
    return await receive(wanted, untilStopped(intake, saved.world, inventory), saved);
  } catch (error) {
    await intake.abandon();
    throw error;
  }
}

/** A first Ctrl-C ends the download with its next bytes, and leaves nothing of it. */
function untilStopped(intake: SnapshotIntake, world: World, inventory: string): SnapshotIntake {
  return {
    ...intake,
    async take(bytes) {
      if (!world.interrupted()) return intake.take(bytes);
      throw new ProvisionError({
        code: 'interrupted',
        message: 'stopped on request: no snapshot was saved, and nothing of it remains',
        hint: `provision snapshot save ${quote(inventory)}`,
      });
    },
  };
}

async function receive(
  { source, path, passphrase }: WantedSnapshot,
  intake: SnapshotIntake,
  { cluster, world }: SavedCluster,
): Promise<SnapshotManifest> {
  const { member, status } = source;
  const said = await downloadSnapshot(source, await world.connector.connect(member.host), intake);
  const { bytes, sha256, isSealed, fileBytes, fileSha256 } = await intake.complete();
  if (!isSealed)
    throw new ProvisionError({
      code: 'snapshot-damaged',
      message: `${member.host}: the downloaded snapshot is damaged or incomplete: the checksum at its end does not match`,
      hint: `try another member: provision snapshot save INVENTORY --from HOST`,
    });
  const { newLook, now, sleep } = world;
  const newProbe = (): ((host: string) => Probe) => {
    const look = newLook();
    return (host) => look.probe(host);
  };
  await requireConfirmed(source, said.revision, { cluster, newProbe, now, sleep });
  const manifest: SnapshotManifest = {
    ...{ formatVersion: 1, file: basename(path), cluster: cluster.token, clusterId: status.clusterId },
    members: status.members.map(({ name, peerUrls }) => ({ name, peerUrls: [...peerUrls] })),
    from: { host: member.host, name: member.name, memberId: status.memberId },
    ...{ etcdVersion: status.version, revision: said.revision, keys: said.totalKey, hash: said.hash },
    ...{ bytes, sha256, encryption: passphrase === undefined ? 'none' : 'age', fileBytes, fileSha256 },
    savedAt: new Date(world.now()).toISOString(),
    savedBy: whoRuns(),
    tool: VERSION,
  };
  await intake.land();
  if (!(await writeManifest(path, manifest)))
    throw new ProvisionError({
      code: 'file-is-there',
      message: `the snapshot is at ${path}, but there is another manifest beside it`,
      hint: `look at it, and remove it: ${quote(`${path}.json`)}`,
    });
  return manifest;
}
