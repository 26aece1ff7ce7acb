import { join } from 'node:path';
import type { World } from '../engine/world.js';
import type { SendRelease } from '../model/action.js';
import type { Cluster } from '../model/cluster.js';
import type { EventSink } from '../model/events.js';
import type { Secret } from '../model/secret.js';
import type { PassphraseSource } from '../pki/passphrase.js';

// What changes of a run get from this machine: snapshots that are taken before them, and releases that hosts are sent.

/** What one change after the other asks for, done again for each, or once; a failed one counts for nothing. */
function oncePerRun(save: () => Promise<void>): World['saveSnapshot'] {
  let isDone = false;
  return async (per) => {
    if (per === 'run' && isDone) return;
    await save();
    isDone = true;
  };
}

/** Snapshots that plans take, encrypted as those beside the inventory are. */
export function snapshotsOf(
  inventoryFile: string,
  {
    cluster,
    passphrase,
    world,
  }: { readonly cluster: Cluster; readonly passphrase: PassphraseSource; readonly world: () => World },
): Pick<World, 'saveSnapshot' | 'prepareSnapshot'> {
  async function needed(): Promise<Secret | undefined> {
    const { passphraseForNext } = await import('./keep-snapshot.js');
    return passphraseForNext(inventoryFile, cluster, passphrase);
  }
  return {
    saveSnapshot: oncePerRun(async () => {
      const { saveSnapshotFirst } = await import('./keep-snapshot.js');
      await saveSnapshotFirst(inventoryFile, { cluster, world: world() }, await needed());
    }),
    prepareSnapshot: async () => {
      await needed();
    },
  };
}

/** Each release is looked for once a run, however many hosts get it. */
export function releasesOf(directory: string, emit: EventSink): World['openRelease'] {
  const opened = new Map<string, ReturnType<World['openRelease']>>();
  return (release) => {
    const known = opened.get(release.sha256) ?? open(release);
    opened.set(release.sha256, known);
    return known;
  };
  async function open(release: SendRelease['release']): ReturnType<World['openRelease']> {
    const { openRelease } = await import('../day-two/release-file.js');
    return openRelease(release, join(directory, '.provision', 'releases'), (message) => {
      emit({ type: 'notice', message });
    });
  }
}
