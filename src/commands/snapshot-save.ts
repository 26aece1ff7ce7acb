import { basename, dirname, resolve } from 'node:path';
import type { SnapshotManifest } from '../day-two/snapshot-manifest.js';
import { chooseSource } from '../day-two/snapshot-source.js';
import { removeOldSnapshots } from '../day-two/snapshot-store.js';
import { EXIT } from '../model/errors.js';
import type { Secret } from '../model/secret.js';
import { passphraseSource } from '../pki/passphrase.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';
import { describeSaved, saveSnapshotTo, usualSnapshotPath, type WantedSnapshot } from './keep-snapshot.js';
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
    const source = await chooseSource({ cluster, probe: (host) => look.probe(host) }, options.from);
    await settled();
    const passphrase = options.encrypt === true ? await passphraseOf(options, context) : undefined;
    const path = resolve(options.output ?? usualSnapshotPath(inventory, new Date(begun), passphrase));
    // Until here a request to stop leaves nothing; from here on the download has to be cleaned up after.
    startActing();
    const needs = { inventory, session, acted: [source.member.host], seen: [] };
    const manifest = await whileLocked(needs, () => save({ source, path, passphrase }, inventory, run));
    emit({ type: 'notice', message: `saved ${path}: ${describeSaved(manifest)}` });
    if (options.keep !== undefined) {
      const { clusterId } = manifest;
      const gone = await removeOldSnapshots(dirname(path), { clusterId, keep: options.keep });
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

async function save(wanted: WantedSnapshot, inventory: string, { session, emit }: Run): Promise<SnapshotManifest> {
  const { source, path } = wanted;
  const { world } = session;
  const { host } = source.member;
  const summary = `snapshot of ${source.member.name} to ${path}`;
  const at = { play: PLAY, host, address: `snapshot:${basename(path)}`, summary };
  const startedAt = world.now();
  emit({ type: 'play-started', play: PLAY, hosts: [host] });
  emit({ type: 'batch-started', play: PLAY, hosts: [host] });
  emit({ type: 'change-started', ...at });
  try {
    const manifest = await saveSnapshotTo(wanted, inventory, session);
    emit({ type: 'change-done', ...at, elapsedMs: world.now() - startedAt });
    return manifest;
  } catch (error) {
    emit({ type: 'change-failed', ...at, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
