import { InvalidArgumentError, type Command } from 'commander';
import { addActingOptions, runApply, type ApplyOptions } from './apply.js';
import type { Context } from './context.js';
import { addPlanningOptions } from './run-options.js';
import { reportOption } from './report-option.js';
import type { OwnPlays, Session } from './session.js';
import { INVENTORY } from './inventory-options.js';

interface DefragOptions extends Omit<ApplyOptions, 'plan' | 'playbook'> {
  readonly compact?: boolean;
  readonly free?: number;
}

/** `provision defrag INVENTORY`: gives back what is free in the databases; where the alarm NOSPACE is raised, makes room and disarms it. */
export function defineDefragCommand(verb: Command, context: Context): void {
  const defrag = verb
    .argument('<inventory>', INVENTORY)
    .option('--compact', 'compact the history, too, where no alarm is raised')
    .option(
      '--free <percent>',
      'defragment members with at least this much free (default: 45, and 45 MiB)',
      parsePercent,
    )
    .option('--dry-run', 'show what would be done; changes nothing');
  addActingOptions(addPlanningOptions(defrag))
    .addOption(reportOption())
    .action(async (inventory: string, options: DefragOptions) => {
      // The one play of a larger quota is the role's; it is used where that is decided.
      await runApply(inventory, { ...options, playbook: 'larger-quota' }, context, {
        command: 'defrag',
        plays: 'of-playbook',
        playsOf: (session) => decide(session, options),
      });
    });
}

function parsePercent(text: string): number {
  const percent = Number(text);
  if (!Number.isInteger(percent) || percent < 1 || percent > 99)
    throw new InvalidArgumentError('expected a whole number from 1 to 99');
  return percent;
}

async function decide(session: Session, options: DefragOptions): Promise<OwnPlays> {
  const { cluster, world, isWithinLimit } = session;
  const { decideDefrag, describeRule, describeSpace, isFragmented } = await import('../day-two/decide-defrag.js');
  const { defragPlays } = await import('../day-two/defrag-plays.js');
  const { lookAtSpace } = await import('../day-two/look-at-space.js');
  const healthy = world.gates.get('etcd-healthy-but-for-space');
  if (healthy === undefined) throw new Error('there is a gate etcd-healthy-but-for-space');
  const look = world.newLook();
  const seen = await lookAtSpace(cluster, { probe: (host) => look.probe(host), healthy });
  const decision = decideDefrag(cluster, seen, {
    compaction: options.compact === true ? 'asked' : 'where-needed',
    percent: options.free,
  });
  for (const each of seen) world.emit({ type: 'notice', host: each.member.host, message: describeSpace(each) });
  const { alarm, compactTo, rule } = decision;
  if (alarm === 'none' && compactTo === undefined && !seen.some(({ status }) => isFragmented(status, rule)))
    world.emit({
      type: 'notice',
      message: `nothing to do: no alarm is raised, and no database has ${describeRule(rule)}`,
    });
  return { name: 'defrag', plays: defragPlays(decision, { raiseQuota: session.plays, isWithinLimit }) };
}
