import { resolve } from 'node:path';
import { checkSnapshot } from '../day-two/check-snapshot.js';
import { decideRestore, findUnfinished, hasStage, lookBeforeRestore } from '../day-two/decide-restore.js';
import { describeAwayWorker } from '../day-two/restart-plays.js';
import { restorePlays } from '../day-two/restore-plays.js';
import { takeBackPlays } from '../day-two/take-back-plays.js';
import { ProvisionError } from '../model/errors.js';
import { passphraseSource } from '../pki/passphrase.js';
import { quote } from '../shell/quote.js';
import { runApply, type ApplyOptions } from './apply.js';
import type { Context } from './context.js';
import { requireName } from './require-name.js';
import type { OwnPlays, Session } from './session.js';

/** The options of `snapshot restore`. */
export interface RestoreSnapshotOptions extends Omit<ApplyOptions, 'plan' | 'playbook'> {
  readonly confirm?: string;
  readonly takeBack?: boolean;
  readonly otherCluster?: boolean;
}

/** Plans a restore, or the way back from one, shows it, has typed which cluster it is of, and performs it. */
export async function runRestoreSnapshot(
  inventory: string,
  file: string | undefined,
  { options, context }: { readonly options: RestoreSnapshotOptions; readonly context: Context },
): Promise<void> {
  if ((file === undefined) !== (options.takeBack === true))
    throw new ProvisionError({
      code: 'nothing-chosen',
      message: 'what is to be restored? Give a snapshot, or --take-back, and not both',
      hint: `see them with: provision snapshot list ${quote(inventory)}`,
    });
  if (options.limit !== undefined)
    throw new ProvisionError({
      code: 'limit-refused',
      message: 'a restore is of all members and API servers, or it makes two clusters: it takes no --limit',
      hint: 'leave --limit out',
    });
  async function playsOf({ cluster, world }: Session): Promise<OwnPlays> {
    const probe = world.newLook();
    const look = await lookBeforeRestore(cluster, (host) => probe.probe(host));
    if (file === undefined) {
      const unfinished = findUnfinished(look);
      if (unfinished === undefined || hasStage(unfinished, 'apiserver-started')) throw tooLate(unfinished?.id);
      const members = hasStage(unfinished, 'exchanging') ? 'were-stopped' : 'run';
      return { name: 'snapshot restore --take-back', plays: takeBackPlays(unfinished.id, cluster, members) };
    }
    const source = passphraseSource({ file: options.passphraseFile, env: context.env, ask: context.ask.passphrase });
    const snapshot = await checkSnapshot(resolve(file), source);
    const from = options.otherCluster === true ? 'any-cluster' : 'this-cluster';
    const restore = decideRestore({ cluster, look, snapshot, from, now: new Date() });
    for (const worker of look.workers.away)
      world.emit({ type: 'notice', host: worker.host, message: describeAwayWorker(worker) });
    return { name: 'snapshot restore', plays: restorePlays(restore) };
  }
  await runApply(inventory, options, context, {
    command: 'snapshot restore',
    playsOf,
    consent: ({ cluster }) => requireName(cluster, options, context),
  });
}

function tooLate(id: string | undefined): ProvisionError {
  return id === undefined
    ? new ProvisionError({
        code: 'nothing-to-take-back',
        message: 'no unfinished restore was found on the hosts',
      })
    : new ProvisionError({
        code: 'too-late',
        message: `the restore ${id} can't be taken back any more: an API server writes on the restored data already`,
        hint: 'finish it: run it again with its snapshot; the data of before is kept beside it',
      });
}
