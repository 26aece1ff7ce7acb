import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { decideRecovery, type RecoveryDecision } from './decide-recovery.js';
import { lookAtRemains } from './look-at-remains.js';
import { hasNoted, type RemainsSeen } from './remains.js';

/** What a person has agreed to. */
export interface AgreedRecovery {
  readonly cluster: Cluster;
  readonly lost: readonly string[];
  readonly decision: RecoveryDecision;
}

/** What the run looks, waits and tells by. */
export interface LookingRun {
  /** Each asks the hosts again. */
  readonly newLook: () => { probe(host: string): Probe };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly emit: (notice: { readonly type: 'notice'; readonly message: string }) => void;
}

/** As long as a member is away that someone restarts: its process ends, and the new one reads its data; an election comes after that. */
const RESTART_MS = 10_000;

/** Between two looks, which take seconds themselves where members don't answer. */
const PAUSE_MS = 1000;

/**
 * Asks again, under the locks and right before the first change, whether the quorum is lost, and whether all is as it was agreed to. A
 * member that is just being restarted is not taken for a silent one: while any may come back, it is asked until it would have.
 * @throws ProvisionError `plan-stale`, and what {@link decideRecovery} throws
 */
export async function requireStillLost({ cluster, lost, decision }: AgreedRecovery, run: LookingRun): Promise<void> {
  const elections = cluster.members.map(({ electionTimeoutMs }) => 2 * electionTimeoutMs);
  const patienceMs = RESTART_MS + Math.max(0, ...elections);
  const until = run.now() + patienceMs;
  const message = `members and control planes are asked once more whether etcd serves, for ${Math.ceil(patienceMs / 1000)} s while a member may come back`;
  run.emit({ type: 'notice', message });
  for (let isLast = false; !isLast;) {
    isLast = run.now() >= until;
    const look = run.newLook();
    const { seen, id } = await lookAtRemains(cluster, (host) => look.probe(host));
    refuseOther(decision, decideRecovery({ cluster, seen, lost, id }));
    if (seen.every((each) => isStopped(each) && (each.member === decision.survivor || cannotReturn(each)))) return;
    if (!isLast) await run.sleep(PAUSE_MS);
  }
}

/** By its own host's word; of one that can't be asked it is not known. */
function isStopped({ found }: RemainsSeen): boolean {
  return found.kind === 'seen' && !found.remains.isRunning;
}

/** A quorum takes two at least: data that is there may be started by whoever boots, or maintains, its host. */
function cannotReturn(each: RemainsSeen): boolean {
  return hasNoted(each, 'fenced') || (each.found.kind === 'seen' && !each.found.remains.hasData);
}

function refuseOther(agreed: RecoveryDecision, now: RecoveryDecision): void {
  const [was, is] = [agreed, now].map(inWords);
  if (was === is) return;
  throw new ProvisionError({
    code: 'plan-stale',
    message: `the hosts have changed since the plan was made: agreed to: ${was ?? ''}; now: ${is ?? ''}; nothing was changed`,
    hint: 'run the same command again, and read its new plan',
  });
}

function inWords({ survivor, others, away }: RecoveryDecision): string {
  const names = (members: readonly Member[]): string => members.map(({ host }) => host).join(', ') || 'nobody';
  return `${survivor.host} survives, ${names(others)} joined again, ${names(away)} left out`;
}
