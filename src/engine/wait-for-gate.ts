import type { Gate, GateAnswer, GateInput } from '../model/gate.js';
import type { JsonObject } from '../model/json.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { Interrupted } from './run-error.js';
import type { World } from './world.js';

/** Time between two questions. A gate costs one exec a host; half a second is below any pause that a client notices. */
const POLL_MS = 500;

/** The pauses before that: what has just been reloaded is often ready after a tenth of a second. */
const FIRST_POLLS_MS: readonly number[] = [100, 150, 250];

/**
 * How long a host that the gate asks may be away. Some gates wait for minutes, for something that goes on on the host;
 * a host that is gone is not worth that. sshd is back within it after a restart of the network.
 */
const AWAY_MS = 60_000;

type Shut = Extract<GateAnswer, { readonly open: false }>;

/** A gate that did not open before its deadline, or never will. */
class GateShut extends ProvisionError {
  constructor(gate: string, { reason, next, isFinal }: Shut, waitedMs: number) {
    const within = `within ${Math.round(waitedMs / 1000)} s`;
    super({
      code: 'gate-not-open',
      message: `gate ${gate} did not open${isFinal === true ? ', and waiting would not change that' : ` ${within}`}: ${reason}`,
      hint: [next, 'nothing further was touched; fix the cause, then run the same command again'].join('\n'),
    });
  }
}

/** Which gate is asked, of which hosts, and what it is given. */
export interface GateRequest {
  readonly gate: string;
  /** The batch: the hosts that the report names; the gate may look at every host. */
  readonly hosts: readonly string[];
  readonly when: GateInput['when'];
  /** All hosts of the play that are worked on; the batch where there is no other. */
  readonly play?: readonly string[];
  /** What an action tells the gate. */
  readonly arguments?: JsonObject;
  /** How long to go on asking, where that is less than the gate's own time. */
  readonly deadlineMs?: number;
}

/**
 * Asks a gate until it opens. On a request to stop, a gate is left, and a change that waits for it is rolled back; but
 * one that is asked after the work is waited for: left early, it would have good work rolled back.
 * @throws GateShut with the last reason, Interrupted; RemoteError when a host was away for a minute
 */
export async function waitForGate(request: GateRequest, world: World): Promise<void> {
  const gate = world.gates.get(request.gate);
  if (gate === undefined)
    throw new ProvisionError({ code: 'unknown-gate', message: `there is no gate named ${request.gate}` });
  const given = request.deadlineMs ?? world.gateDeadlineMs;
  const begun = world.now();
  let shown = '';
  let seenAt = begun;
  for (let asked = 0; ; asked += 1) {
    const answer = await askOnce(gate, request, world);
    const waitedMs = world.now() - begun;
    const isAway = !answer.open && (answer.isAway === true || answer.away !== undefined);
    if (!isAway) seenAt = world.now();
    if (answer.open) {
      world.emit({ type: 'gate-opened', gate: gate.name, hosts: request.hosts, waitedMs, note: answer.note });
      return;
    }
    if (request.when !== 'after' && world.interrupted())
      throw new Interrupted(request.hosts.join(', '), `gate ${gate.name}, which is not open: ${answer.reason}`);
    if (isAway && world.now() - seenAt >= AWAY_MS) throw answer.away ?? new GateShut(gate.name, answer, waitedMs);
    if (answer.isFinal === true || waitedMs >= (given ?? gate.deadlineMs + (answer.patienceMs ?? 0)))
      throw new GateShut(gate.name, answer, waitedMs);
    if (answer.reason !== shown)
      world.emit({ type: 'gate-waiting', gate: gate.name, hosts: request.hosts, reason: answer.reason });
    shown = answer.reason;
    await world.sleep(FIRST_POLLS_MS[asked] ?? POLL_MS);
  }
}

/** An answer, or that a host could not be asked. */
type Heard = GateAnswer & { readonly away?: RemoteError };

async function askOnce(gate: Gate, request: GateRequest, world: World): Promise<Heard> {
  const look = world.newLook();
  const { when, hosts, play = hosts, arguments: told = {} } = request;
  try {
    return await gate.check({ probe: (host) => look.probe(host), when, batch: hosts, play, arguments: told });
  } catch (error) {
    if (!isHostAway(error)) throw error;
    return { open: false, reason: error.message, next: error.hint ?? `ssh ${error.host} true`, away: error };
  }
}

/** A host that cannot be asked right now: it may come back before the deadline. */
function isHostAway(error: unknown): error is RemoteError {
  return error instanceof RemoteError;
}
