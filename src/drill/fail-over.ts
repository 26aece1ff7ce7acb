import { runOrFail } from '../engine/run-or-fail.js';
import { waitForGate } from '../engine/wait-for-gate.js';
import type { World } from '../engine/world.js';
import { ProvisionError } from '../model/errors.js';
import { aboutService } from '../model/gate.js';
import { journalByHand } from '../shell/by-hand.js';
import { startAgain, stopForAWhile } from '../shell/dead-mans-switch.js';
import { drillGates, unitsOf, type Position } from './look-before.js';
import type { Problems } from './problems.js';
import { virtualIpMoved } from './virtual-ip-moved.js';

/** No fail-over is waited for longer: an election takes seconds. */
const FAIL_OVER_MS = 30_000;

/** The wait for a fail-over ends so long before the host starts the service by itself. */
const MARGIN_MS = 5_000;

/** After a fail-over, for the address to change hands once more if it is going to. */
const SETTLE_MS = 2_000;

/** For gates to open when the service was started; where that failed, the host's timer has to go off first. */
const WHOLE_AGAIN_MS = 60_000;

/** One service that is stopped for a while. */
export interface Failure {
  /** Its unit, without `.service`. */
  readonly unit: string;
  readonly position: Position;
  /** When its host starts it again by itself, in seconds. */
  readonly restoreAfterS: number;
  /** The command that looks at everything. */
  readonly checkUp: string;
}

/**
 * Stops the service, and waits until clients are served by another balancer.
 * @throws RemoteError; ProvisionError `no-fail-over`, `interrupted`
 */
export async function failOver({ unit, position, restoreAfterS }: Failure, world: World): Promise<void> {
  const { holder, others, service } = position;
  await runOrFail(stopForAWhile(unit, restoreAfterS), await world.connector.connect(holder));
  const deadlineMs = Math.min(FAIL_OVER_MS, restoreAfterS * 1000 - MARGIN_MS);
  const moved = virtualIpMoved(position, deadlineMs);
  const gates = new Map(world.gates).set(moved.name, moved);
  try {
    await waitForGate({ gate: moved.name, hosts: [holder], when: 'action', deadlineMs }, { ...world, gates });
    const answers = aboutService('vip-answers', service.name);
    await waitForGate({ gate: answers, hosts: others, when: 'action', deadlineMs }, world);
  } catch (error) {
    throw explain(error, unit, position);
  }
  await world.sleep(SETTLE_MS);
}

function explain(error: unknown, unit: string, { holder, others, service }: Position): unknown {
  if (!(error instanceof ProvisionError)) return error;
  if (error.code === 'interrupted')
    return new ProvisionError({ code: 'interrupted', message: `stopped on request while ${unit} was stopped` });
  if (error.code !== 'gate-not-open') return error;
  return new ProvisionError({
    code: 'no-fail-over',
    message: `${service.endpoint.ip} was not served by another balancer after ${unit} was stopped on ${holder}: ${error.message}`,
    hint: journalByHand(others[0] ?? holder, ...unitsOf(service, others[0] ?? holder).toReversed()),
  });
}

/**
 * Starts the service again, and waits for the gates whatever came of that: the host's own timer starts it too.
 * @returns milliseconds until all gates were open; nothing where they did not open
 */
export async function putBack(failure: Failure, problems: Problems, world: World): Promise<number | undefined> {
  const { unit, position, restoreAfterS, checkUp } = failure;
  const { holder, others } = position;
  const begun = world.now();
  const isStarted = await problems.noting(async () => {
    await runOrFail(startAgain(unit), await world.connector.connect(holder));
    return true;
  });
  if (isStarted !== true) {
    const message = `${unit} was not started again from here: a timer of ${holder} does so within ${restoreAfterS} s`;
    world.emit({ type: 'notice', host: holder, message });
  }
  const deadlineMs = WHOLE_AGAIN_MS + (isStarted === true ? 0 : restoreAfterS * 1000);
  const areOpen = await problems.noting(async () => {
    for (const gate of drillGates(position.service))
      await waitForGate({ gate, hosts: [holder, ...others], when: 'after', deadlineMs }, world);
    return true;
  });
  if (areOpen === true) return world.now() - begun;
  world.emit({ type: 'notice', message: `the cluster has not recovered: run ${checkUp}` });
  return undefined;
}
