import type { Command } from 'commander';
import type { RecoveryDecision } from '../day-two/decide-recovery.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { addActingOptions, runApply, type ApplyOptions } from './apply.js';
import type { Context } from './context.js';
import { requireName } from './require-name.js';
import { addPlanningOptions } from './run-options.js';
import { reportOption } from './report-option.js';
import type { OwnPlays, Session } from './session.js';
import { INVENTORY } from './inventory-options.js';

interface RecoverOptions extends Omit<ApplyOptions, 'plan' | 'playbook'> {
  readonly lost: readonly string[];
  readonly confirm?: string;
}

/** `provision recover INVENTORY`: a quorum that is lost for good; the cluster goes on from what one member has. */
export function defineRecoverCommand(verb: Command, context: Context): void {
  const recover = verb
    .argument('<inventory>', INVENTORY)
    .option(
      '--lost <host>',
      'a host whose member is lost for good, whatever data it still has; repeat it for each',
      collect,
      [],
    )
    .option(
      '--confirm <name>',
      'the name of the cluster, or where clients reach it, in place of typing it; needs --yes',
    )
    .option('--dry-run', 'show what would be done; changes nothing');
  addActingOptions(addPlanningOptions(recover))
    .addOption(reportOption())
    .action(async (inventory: string, options: RecoverOptions) => {
      if (options.limit !== undefined)
        throw new ProvisionError({
          code: 'limit-refused',
          message: 'a recovery is of all members and API servers, or it makes two clusters: it takes no --limit',
          hint: 'leave --limit out; name what is gone for good with --lost HOST',
        });
      let decision: RecoveryDecision | undefined;
      await runApply(inventory, { ...options, playbook: 'recover' }, context, {
        command: 'recover',
        plays: 'of-playbook',
        async playsOf(session) {
          const decided = await decide(session, options.lost);
          decision = decided.decision;
          return decided.own;
        },
        consent: ({ cluster }) => requireName(cluster, options, context),
        // Who is lost for good keeps no lock.
        cannotLock: () => decision?.away.map(({ host }) => host) ?? [],
        async lastLook({ cluster, world }) {
          const { requireStillLost } = await import('../day-two/still-lost.js');
          if (decision !== undefined) await requireStillLost({ cluster, lost: options.lost, decision }, world);
        },
      });
    });
}

function collect(host: string, before: readonly string[]): readonly string[] {
  return [...before, host];
}

async function decide(
  session: Session,
  lost: readonly string[],
): Promise<{ readonly own: OwnPlays; readonly decision: RecoveryDecision }> {
  const { cluster, world } = session;
  const { decideRecovery } = await import('../day-two/decide-recovery.js');
  const { describeRemains } = await import('../day-two/remains.js');
  const { lookAtRemains, recoveryId } = await import('../day-two/look-at-remains.js');
  const { describeAwayWorker, lookAtWorkers } = await import('../day-two/restart-plays.js');
  const { refuseWhoCannotJoin } = await import('../day-two/may-join-again.js');
  const { recoverPlays } = await import('../day-two/recover-plays.js');
  const look = world.newLook();
  const [{ seen, id, tools }, workers] = await Promise.all([
    lookAtRemains(cluster, (host) => look.probe(host)),
    lookAtWorkers(cluster, (host) => look.probe(host)),
  ]);
  for (const each of seen) world.emit({ type: 'notice', host: each.member.host, message: describeRemains(each, lost) });
  const decision = decideRecovery({ cluster, seen, lost, id });
  const { survivor, others, joined, away, revision } = decision;
  const { found } = seen.find(({ member }) => member === survivor) ?? {};
  const bytes = found?.kind === 'seen' ? found.remains.databaseBytes : 0;
  // Once it has begun, it is only finished.
  const shut =
    id === undefined
      ? await refuseWhoCannotJoin({ survivor, others }, { cluster, bytes }, (host) => look.probe(host))
      : [];
  for (const message of shut) world.emit({ type: 'notice', message });
  world.emit({ type: 'notice', message: describeLoss(survivor, revision) });
  for (const { host, unit } of away)
    world.emit({
      type: 'notice',
      host,
      message: `can't be kept from coming back: it must not start ${unit} with its old data. When it is reachable and bare: provision apply INVENTORY`,
    });
  for (const worker of workers.away)
    world.emit({ type: 'notice', host: worker.host, message: describeAwayWorker(worker) });
  const bump = tools.get(survivor.host)?.canBump === true ? 'revisions' : 'none';
  const plays = recoverPlays({
    ...{ id: id ?? recoveryId(new Date(world.now())), cluster, survivor, others, joined, bump, workers },
    joining: session.plays,
  });
  return { own: { name: 'recover', plays }, decision };
}

function describeLoss({ host }: Member, revision: number | undefined): string {
  const at = revision === undefined ? 'its revision is known once it is stopped' : `revision ${revision} by now`;
  return `recovered is what ${host} has (${at}). Writes that the others acknowledged, and that it had not got, are lost`;
}
