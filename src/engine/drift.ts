import type { PlannedStep } from '../model/plan.js';
import { actionsToJson } from './action-json.js';
import type { StepJson } from './plan-schema.js';

/** Enough to see what it is about; the rest is in a new plan. */
const MAX_LINES = 12;

/**
 * What a step would do, as a text: equal when a person who agreed to the one agreed to the other. Secrets count as
 * `[redacted]`; neither the diff counts, nor what was there.
 */
export function essenceOf(step: PlannedStep | StepJson | undefined): string {
  if (step === undefined) return 'nothing';
  if (!('outcome' in step)) return step.kind === 'change' ? JSON.stringify([step.summary, step.actions]) : step.kind;
  const { outcome } = step;
  if (outcome.kind !== 'change') return outcome.kind;
  return JSON.stringify([outcome.change.summary, actionsToJson(outcome.change)]);
}

/** A step as a few words for a person. */
export function describeStep(step: PlannedStep | StepJson | undefined): string {
  if (step === undefined) return 'nothing to do';
  const { kind, summary, because } = wordsOf(step);
  return kind === 'change' ? summary : `unknown (${because})`;
}

function wordsOf(step: PlannedStep | StepJson): { kind: string; summary: string; because: string } {
  if (!('outcome' in step))
    return step.kind === 'change'
      ? { kind: 'change', summary: step.summary, because: '' }
      : { kind: 'unknown', summary: '', because: step.because };
  const { outcome } = step;
  return outcome.kind === 'change'
    ? { kind: 'change', summary: outcome.change.summary, because: '' }
    : { kind: 'unknown', summary: '', because: outcome.because };
}

function diffOf(step: PlannedStep | StepJson): readonly string[] {
  if (!('outcome' in step)) return step.kind === 'change' ? step.diff : [];
  return step.outcome.kind === 'change' ? step.outcome.change.diff : [];
}

/**
 * Steps that were not agreed to, each as lines for a person: what would be done now, and what was planned; or what has
 * changed on the host under the same change.
 * @param ourWork whether this run has changed the host already: then what was there may differ by our own doing
 */
export function driftedSteps(
  planned: readonly PlannedStep[],
  now: readonly PlannedStep[],
  ourWork: 'none' | 'begun',
): readonly string[] {
  const agreed = new Map(planned.map((step) => [step.address, step]));
  return now.flatMap((step) => {
    const was = agreed.get(step.address);
    if (was?.outcome.kind === 'unknown') return [];
    if (ourWork === 'begun' && doesLess(step, was)) return [];
    if (was === undefined || essenceOf(was) !== essenceOf(step))
      return [`${step.address}: now ${describeStep(step)}; planned: ${describeStep(was)}`, ...linesSince(was, step)];
    if (ourWork === 'begun' || was.before === step.before) return [];
    return [changedUnder(step.address, step), ...linesSince(was, step)];
  });
}

/** Whether a step does just a part of what was agreed to, in that order: an earlier play of this run, for another service, may have done some of it. */
function doesLess({ outcome }: PlannedStep, was: PlannedStep | undefined): boolean {
  if (outcome.kind !== 'change' || was?.outcome.kind !== 'change') return false;
  const [packages, agreedPackages] = [outcome.change.installs, was.outcome.change.installs];
  if (packages !== undefined && agreedPackages !== undefined)
    return packages.length < agreedPackages.length && packages.every((spec) => agreedPackages.includes(spec));
  const agreed = actionsToJson(was.outcome.change).map((action) => JSON.stringify(action));
  const now = actionsToJson(outcome.change).map((action) => JSON.stringify(action));
  let next = 0;
  const isPart = now.every((action) => {
    next = agreed.indexOf(action, next) + 1;
    return next > 0;
  });
  return isPart && now.length < agreed.length;
}

/** The headline of a step that is the same, while what it would overwrite is not. */
export function changedUnder(subject: string, step: PlannedStep | StepJson): string {
  return `${subject}: ${describeStep(step)}: it was changed on the host since`;
}

/**
 * The lines of a file that came (`+`) or went (`-`) between two plans for it, as far as their diffs tell; redacted as they are. They are
 * those of the file on the host. Where that is as it was, another content is wanted, and they are those of what is wanted.
 */
export function linesSince(
  was: PlannedStep | StepJson | undefined,
  is: PlannedStep | StepJson | undefined,
): readonly string[] {
  const [before, after] = [sidesOf(was), sidesOf(is)];
  const lost = [...without(before.old, after.old), ...without(after.wanted, before.wanted)];
  const gained = [...without(after.old, before.old), ...without(before.wanted, after.wanted)];
  const [went, came] = isUntouched(was, is) ? [gained, lost] : [lost, gained];
  const lines = [...went.map((line) => `- ${line}`), ...came.map((line) => `+ ${line}`)];
  const more = lines.length > MAX_LINES ? [`… and ${lines.length - MAX_LINES} more lines`] : [];
  return [...lines.slice(0, MAX_LINES), ...more].map((line) => `    ${line}`);
}

/** Whether the host told the same for both plans. */
function isUntouched(was: PlannedStep | StepJson | undefined, is: PlannedStep | StepJson | undefined): boolean {
  const told = toldBefore(was);
  return told !== undefined && told === toldBefore(is);
}

function toldBefore(step: PlannedStep | StepJson | undefined): string | undefined {
  return step !== undefined && 'before' in step ? (step.before ?? undefined) : undefined;
}

/** The lines that a diff takes away, and those that it brings. */
function sidesOf(step: PlannedStep | StepJson | undefined): { old: readonly string[]; wanted: readonly string[] } {
  const lines = step === undefined ? [] : diffOf(step).filter((line) => !/^(?:---|\+\+\+) /.test(line));
  const side = (sign: string): string[] => lines.filter((line) => line.startsWith(sign)).map((line) => line.slice(1));
  return { old: side('-'), wanted: side('+') };
}

/** The lines of one list that are not in the other, as often as they are missing there. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}
