import { createHash } from 'node:crypto';
import type { Outcome } from '../model/change.js';
import type { PlannedStep } from '../model/plan.js';

/**
 * SHA-256, hex, of what an outcome would do: equal when a person who agreed to the one agreed to the other. Secrets
 * count as `[redacted]`, so that a fingerprint tells nothing about them; diffs do not count, they show how the host was.
 */
export function fingerprint(outcome: Outcome): string {
  const essence = outcome.kind === 'change' ? [outcome.change.summary, outcome.change.actions] : [outcome.kind];
  return createHash('sha256').update(JSON.stringify(essence)).digest('hex');
}

/** Steps that were not agreed to, each as a line for a person: what was planned, and what it would be now. */
export function driftedSteps(planned: readonly PlannedStep[], now: readonly PlannedStep[]): readonly string[] {
  const agreed = new Map(planned.map((step) => [step.address, step.outcome]));
  return now.flatMap(({ address, outcome }) => {
    const before = agreed.get(address);
    if (before?.kind === 'unknown' || (before !== undefined && fingerprint(before) === fingerprint(outcome))) return [];
    return [`${address}: now ${describeOutcome(outcome)}; planned: ${describeOutcome(before)}`];
  });
}

function describeOutcome(outcome: Outcome | undefined): string {
  if (outcome === undefined || outcome.kind === 'unchanged') return 'nothing to do';
  return outcome.kind === 'change' ? outcome.change.summary : `unknown (${outcome.because})`;
}
