import pLimit from 'p-limit';
import { counted } from '../model/counted.js';
import { isHostLost, ProvisionError } from '../model/errors.js';
import type { RunResult } from '../model/events.js';
import type { Plan, PlannedBatch, PlannedHost, PlannedPlay } from '../model/plan.js';
import type { Play } from '../playbook/play.js';
import { rollBack, workOnHost, type HostWork } from './host-work.js';
import { planHost } from './planner.js';
import { asError, failuresOf, Interrupted, RunError, type HostFailure } from './run-error.js';
import { waitForGate } from './wait-for-gate.js';
import type { World } from './world.js';

/**
 * Performs a plan: plays in order, their batches in order, the hosts of a batch at once. A batch is done when its gates
 * are open and a last look finds nothing left to do. The first batch that fails ends the run: no later host is touched.
 * @throws RunError naming every host that failed
 */
export async function applyPlan(plan: Plan, plays: readonly Play[], world: World): Promise<RunResult> {
  const begun = world.now();
  const touched = new Set<string>();
  let changed = 0;
  let unchanged = 0;
  for (const [index, planned] of plan.plays.entries()) {
    const play = plays[index];
    if (play === undefined) throw new ProvisionError({ code: 'plan-mismatch', message: 'the plan has more plays' });
    unchanged += planned.batches.flatMap(({ hosts }) => hosts).reduce((sum, host) => sum + host.unchanged, 0);
    const batches = planned.batches.map(withWork).filter(({ hosts }) => hosts.length > 0);
    if (batches.length === 0) continue;
    world.emit({ type: 'play-started', play: play.name, hosts: hostNames(batches.flatMap(({ hosts }) => hosts)) });
    for (const batch of batches) {
      changed += await applyBatch({ play, planned, batch, touched, world });
      for (const host of hostNames(batch.hosts)) touched.add(host);
    }
  }
  return { changed, unchanged, failed: 0, elapsedMs: world.now() - begun };
}

interface BatchRun {
  readonly play: Play;
  readonly planned: PlannedPlay;
  readonly batch: PlannedBatch;
  /** The hosts that this run has changed already. */
  readonly touched: ReadonlySet<string>;
  readonly world: World;
}

/** @returns how many changes were made */
async function applyBatch(run: BatchRun): Promise<number> {
  const { play, planned, batch, touched, world } = run;
  const hosts = hostNames(batch.hosts);
  world.emit({ type: 'batch-started', play: play.name, hosts });
  for (const gate of planned.gatesBefore) await waitForGate({ gate, hosts, when: 'before', play: play.hosts }, world);
  const limit = pLimit(world.forks);
  const results = await Promise.allSettled(
    batch.hosts.map((host) => limit(() => workOnHost(play, host, touched.has(host.host) ? 'begun' : 'none', world))),
  );
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failures = results.flatMap((result, index) =>
    result.status === 'rejected' ? failuresOf(result.reason, hosts[index]) : [],
  );
  if (failures.length > 0) {
    for (const work of done) sayDone(work, world);
    // Who was only asked to stop has broken nothing; on who is lost nothing was rolled back that needs a moment.
    const isLost = failures.every(({ error }) => isHostLost(error));
    if (!failures.every(({ error }) => error instanceof Interrupted))
      await askAgain(planned, hosts, world, isLost ? 0 : ASK_AGAIN_MS);
    const hint = 'fix the cause, then run the same command again';
    throw new RunError(`play ${play.name} stopped; no later host was touched`, failures, hint);
  }
  await passGatesAfter(run, hosts, done);
  await proveNothingLeft(play, hosts, world);
  return done.reduce((sum, work) => sum + work.changed, 0);
}

/** A gate that does not open after the work means that the work did harm: it is rolled back. */
async function passGatesAfter({ play, planned, world }: BatchRun, hosts: string[], done: HostWork[]): Promise<void> {
  try {
    for (const gate of planned.gatesAfter) await waitForGate({ gate, hosts, when: 'after' }, world);
  } catch (error) {
    for (const { host, undos, lasting } of done) await rollBack({ play: play.name, host, undos, lasting, world });
    await askAgain(planned, hosts, world, ASK_AGAIN_MS);
    throw new RunError(`play ${play.name} stopped and was rolled back on ${hosts.join(', ')}`, [
      { host: undefined, error: asError(error) },
    ]);
  }
}

/** After a roll-back a service needs a moment; what is not healthy by then is reported, and not waited for. */
const ASK_AGAIN_MS = 30_000;

/** Do the hosts stand again after a roll-back? Reported, not judged: the run has failed anyway. */
async function askAgain(
  { gatesAfter }: PlannedPlay,
  hosts: readonly string[],
  world: World,
  deadlineMs: number,
): Promise<void> {
  for (const gate of gatesAfter) {
    try {
      await waitForGate({ gate, hosts, when: 'after', deadlineMs }, world);
    } catch (error) {
      world.emit({ type: 'notice', message: `after the failure: ${asError(error).message}` });
    }
  }
}

function sayDone({ host, changed }: HostWork, world: World): void {
  world.emit({ type: 'notice', host, message: `completed, not rolled back (${counted(changed, 'change')})` });
}

/** The last look: what was planned is done, so nothing may be left to do. */
async function proveNothingLeft(play: Play, hosts: readonly string[], world: World): Promise<void> {
  const look = world.newLook();
  const left = await Promise.all(hosts.map((host) => planHost(play, host, look)));
  const failures = left.flatMap(({ host, steps }) =>
    steps.map(({ address, outcome }): HostFailure => {
      const what = outcome.kind === 'change' ? outcome.change.summary : outcome.because;
      const message = `${address} is still not as it should be after the change: ${what}`;
      return { host, error: new ProvisionError({ code: 'not-converged', message }) };
    }),
  );
  if (failures.length > 0) throw new RunError(`play ${play.name} did not reach the planned state`, failures);
}

function withWork(batch: PlannedBatch): PlannedBatch {
  return { hosts: batch.hosts.filter(({ steps }) => steps.length > 0) };
}

function hostNames(hosts: readonly PlannedHost[]): string[] {
  return hosts.map(({ host }) => host);
}
