import type { PlannedStep } from '../model/plan.js';
import { stepToJson } from './plan-json.js';
import type { StepJson } from './plan-schema.js';

/**
 * What a step would do, as a text: equal when a person who agreed to the one agreed to the other. Secrets count as
 * `[redacted]`; the diff does not count, it shows how the host was.
 */
export function essenceOf(step: PlannedStep | StepJson | undefined): string {
  if (step === undefined) return 'nothing';
  const json = 'outcome' in step ? stepToJson(step) : step;
  return json.kind === 'change' ? JSON.stringify([json.summary, json.actions]) : json.kind;
}

/** A step as a few words for a person. */
export function describeStep(step: PlannedStep | StepJson | undefined): string {
  if (step === undefined) return 'nothing to do';
  const json = 'outcome' in step ? stepToJson(step) : step;
  return json.kind === 'change' ? json.summary : `unknown (${json.because})`;
}

/** Steps that were not agreed to, each as a line for a person: what would be done now, and what was planned. */
export function driftedSteps(planned: readonly PlannedStep[], now: readonly PlannedStep[]): readonly string[] {
  const agreed = new Map(planned.map((step) => [step.address, step]));
  return now.flatMap((step) => {
    const before = agreed.get(step.address);
    if (before?.outcome.kind === 'unknown' || essenceOf(before) === essenceOf(step)) return [];
    return [`${step.address}: now ${describeStep(step)}; planned: ${describeStep(before)}`];
  });
}
