import type { Gate } from '../model/gate.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { CheckContext, CheckItem } from './check.js';
import { fromGate } from './from-gate.js';

/** What a gate is asked for a check: of each host alone, so that one that is away hides nothing of the others. */
interface GateQuestion {
  readonly gate: Gate;
  /** What the items are called. */
  readonly check: string;
  /** Which of several, as items have it. */
  readonly subject: string;
  readonly hosts: readonly string[];
  /** The evidence of an open gate that has no note. */
  readonly ok: string;
}

/** One item a host, in the words of the gate. */
export async function askGate(
  { gate, check, subject, hosts, ok }: GateQuestion,
  { probe }: CheckContext,
): Promise<readonly CheckItem[]> {
  return itemsOfHosts(hosts, async (host) => {
    const batch = [host];
    const answer = await gate.check({ probe, when: 'after', batch, play: batch, arguments: {} });
    return [fromGate({ check, host, subject }, answer, ok)];
  });
}
