import { hostname, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { chooseSource, downloadSnapshot, type SnapshotSource } from '../day-two/save-snapshot.js';
import { openSnapshotIntake, type SnapshotIntake } from '../day-two/snapshot-file.js';
import type { SnapshotManifest } from '../day-two/snapshot-manifest.js';
import { removeOldSnapshots, snapshotDirectory, writeManifest } from '../day-two/snapshot-store.js';
import { EXIT, ProvisionError } from '../model/errors.js';
import type { Secret } from '../model/secret.js';
import { VERSION } from '../model/version.js';
import { passphraseSource } from '../pki/passphrase.js';
import { quote } from '../shell/quote.js';
import { counted } from '../model/counted.js';
import type { Context } from './context.js';
import { whileLocked } from './lock-cluster.js';
import { withRun, type Run } from './run.js';
import type { RunOptions } from './run-options.js';

/** The options of `snapshot save`. */
export interface SaveSnapshotOptions extends Omit<RunOptions, 'playbook' | 'limit'> {
  readonly output?: string;
  readonly from?: string;
  readonly encrypt?: boolean;
  readonly keep?: number;
}

/** Its work as a play, in events and in the journal. */
const PLAY = 'Save a snapshot';

/** Takes a snapshot, checks it, and puts it and its manifest in place; the oldest ones go where that was asked for. */
export async function runSaveSnapshot(
  inventory: string,
  options: SaveSnapshotOptions,
  context: Context,
): Promise<void> {
  const left = `nothing stays on the host; then: provision snapshot save ${quote(inventory)}`;
  await withRun({ command: 'snapshot save', inventory, options, left, plays: 'own' }, context, async (run) => {
    const { session, emit, begun, settled, startActing } = run;
    const { cluster, world } = session;
    const look = world.newLook();
    const source = await chooseSource(cluster, (host) => look.probe(host), options.from);
    await settled();
    const passphrase = options.encrypt === true ? await passphraseOf(options, context) : undefined;
    const path = resolve(options.output ?? defaultPath(inventory, new Date(begun), passphrase));
    // Until here a request to stop leaves nothing; from here on the download has to be cleaned up after.
    startActing();
    const needs = { inventory, session, acted: [source.member.host], seen: [] };
    const manifest = await whileLocked(needs, () => save({ source, path, passphrase }, inventory, run));
    emit({ type: 'notice', message: `saved ${path}: ${describe(manifest)}` });
    if (options.keep !== undefined) {
      const gone = await removeOldSnapshots(dirname(path), { cluster: cluster.token, keep: options.keep });
      for (const old of gone) emit({ type: 'notice', message: `removed ${old}: the newest ${options.keep} are kept` });
    }
    emit({
      type: 'run-finished',
      result: { changed: 1, unchanged: 0, failed: 0, elapsedMs: Date.now() - begun },
    });
    return EXIT.done;
  });
}

function passphraseOf(options: SaveSnapshotOptions, context: Context): Promise<Secret> {
  const ask = context.ask.passphrase;
  return passphraseSource({ file: options.passphraseFile, env: context.env, ask }).chosen('the snapshot');
}

function defaultPath(inventory: string, begun: Date, passphrase: Secret | undefined): string {
  const time = begun.toISOString().replaceAll(':', '-');
  const name = `etcd-${time}.db${passphrase === undefined ? '' : '.age'}`;
  return join(snapshotDirectory(dirname(resolve(inventory))), name);
}

function describe({ revision, keys, bytes, encryption }: SnapshotManifest): string {
  const encrypted = encryption === 'age' ? ', encrypted' : '';
  return `revision ${revision}, ${counted(keys, 'key')}, ${(bytes / 1024 / 1024).toFixed(1)} MiB${encrypted}`;
}

interface Wanted {
  readonly source: SnapshotSource;
  readonly path: string;
  readonly passphrase: Secret | undefined;
}

async function save(wanted: Wanted, inventory: string, { session, emit }: Run): Promise<SnapshotManifest> {
  const { source, path, passphrase } = wanted;
  const { world } = session;
  const { host } = source.member;
  const summary = `snapshot of ${source.member.name} to ${path}`;
  const at = { play: PLAY, host, address: `snapshot:${basename(path)}`, summary };
  const startedAt = world.now();
  emit({ type: 'play-started', play: PLAY, hosts: [host] });
  emit({ type: 'batch-started', play: PLAY, hosts: [host] });
  emit({ type: 'change-started', ...at });
  const intake = await openSnapshotIntake(path, passphrase);
  try {
    const manifest = await receive(wanted, untilStopped(intake, world, inventory), session);
    emit({ type: 'change-done', ...at, elapsedMs: world.now() - startedAt });
    return manifest;
  } catch (error) {
    await intake.abandon();
    emit({ type: 'change-failed', ...at, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** A first Ctrl-C ends the download with its next bytes, and leaves nothing of it. */
function untilStopped(intake: SnapshotIntake, world: Run['session']['world'], inventory: string): SnapshotIntake {
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
  { source, path, passphrase }: Wanted,
  intake: SnapshotIntake,
  { cluster, world }: Run['session'],
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
  const manifest: SnapshotManifest = {
    ...{ formatVersion: 1, file: basename(path), cluster: cluster.token, clusterId: status.clusterId },
    members: status.members.map(({ name, peerUrls }) => ({ name, peerUrls: [...peerUrls] })),
    from: { host: member.host, name: member.name, memberId: status.memberId },
    ...{ etcdVersion: status.version, revision: said.revision, keys: said.totalKey, hash: said.hash },
    ...{ bytes, sha256, encryption: passphrase === undefined ? 'none' : 'age', fileBytes, fileSha256 },
    savedAt: new Date(world.now()).toISOString(),
    savedBy: `${userInfo().username}@${hostname()}`,
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
