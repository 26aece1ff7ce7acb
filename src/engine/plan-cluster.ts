import type { Look } from '../facts/batched-probe.js';
import { summarisePlan } from '../model/plan.js';
import { readClocks, wrongClocks } from './clock-guard.js';
import { locksSeen } from './left-lock.js';
import type { FoundLock } from './lock-holder.js';
import type { Play } from '../playbook/play.js';
import { decidePlays, planningFailed, type PlanRequest, type PlayPlan } from './planner.js';
import { RunError } from './run-error.js';
import type { World } from './world.js';

/** What a plan is made of, and whom it concerns beside the hosts of its plays. */
export interface ClusterPlanRequest extends PlanRequest {
  /** The hosts of the etcd members. */
  readonly members: readonly string[];
}

/** What one look at the hosts came to. */
export interface ClusterPlan extends PlayPlan {
  /** Locks of other runs, on the hosts that were looked at. */
  readonly locks: readonly FoundLock[];
}

/**
 * Plans, and asks in the same look what else decides whether the plan may be performed: clocks and locks.
 * @throws RunError naming every host that could not be looked at, or whose clock would break what is planned
 */
export async function planCluster(request: ClusterPlanRequest, world: World): Promise<ClusterPlan> {
  const look = world.newLook();
  // Only hosts that are asked anyway: a host is not connected to for its clock, or for a lock.
  const asked = new Set(request.plays.flatMap(({ hosts }) => hosts));
  const [{ plan, missing, failures }, clocks, locks, doubts] = await Promise.all([
    decidePlays(request, look),
    readClocks([...asked], look, world.now),
    locksSeen([...asked], look),
    doubtsOf(request.plays, look),
  ]);
  const wrong = wrongClocks(plan, clocks, request.members);
  // All that is wrong is reported at once.
  if (failures.length > 0) throw planningFailed([...failures, ...wrong]);
  const { changes, unknown } = summarisePlan(plan);
  if (wrong.length > 0 && changes + unknown > 0)
    throw new RunError('the clocks are too far apart for what is planned: nothing was changed', wrong);
  for (const { host, error } of wrong) world.emit({ type: 'notice', host, message: error.message });
  for (const { host, message } of doubts) world.emit({ type: 'notice', host, message });
  return { plan, missing, locks };
}

/** What is doubtful on the hosts of the plays, each once. A host that cannot be asked is met by the plan itself. */
async function doubtsOf(
  plays: readonly Play[],
  look: Look,
): Promise<readonly { readonly host: string; readonly message: string }[]> {
  const asked = plays.flatMap((play) =>
    play.hosts.flatMap((host) =>
      (play.resources.get(host) ?? []).map(async (resource) => {
        const message = await resource.doubt?.(look.probe(host));
        return message === undefined ? [] : [[`${host} ${message}`, { host, message }] as const];
      }),
    ),
  );
  const told = await Promise.allSettled(asked);
  return [...new Map(told.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))).values()];
}
