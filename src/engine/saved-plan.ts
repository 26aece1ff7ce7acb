import { readFile } from 'node:fs/promises';
import { ProvisionError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import { writePrivately } from '../pki/store-files.js';
import { describeStep, essenceOf } from './drift.js';
import { planToJson } from './plan-json.js';
import { planSchema, type PlanJson, type StepJson } from './plan-schema.js';

/**
 * Writes a plan to a file that only its owner may read: it names hosts, paths and versions, but holds no secret.
 * @throws ProvisionError `file-not-written`
 */
export async function savePlan(file: string, plan: Plan): Promise<void> {
  await writePrivately(file, `${JSON.stringify(planToJson(plan), undefined, 2)}\n`, 'the plan');
}

/**
 * Compares a saved plan with what would be done now.
 * @throws ProvisionError `plan-stale` with every difference, `plan-unreadable`
 */
export async function refuseDrift(file: string, now: Plan): Promise<void> {
  const saved = await readSaved(file);
  const fresh = planToJson(now);
  const drift = [
    ...differs('the inventory', saved.inventoryDigest, fresh.inventoryDigest),
    ...differs('the playbook', saved.playbook, fresh.playbook),
    ...differs('--limit', saved.limit ?? 'none', fresh.limit ?? 'none'),
    ...stepDrift(saved, fresh),
  ];
  if (drift.length === 0) return;
  throw new ProvisionError({
    code: 'plan-stale',
    message: [`${file} is not what would be done now:`, ...drift.map((line) => `  ${line}`)].join('\n'),
    hint: 'nothing was changed; look at a new plan, and apply that',
  });
}

async function readSaved(file: string): Promise<PlanJson> {
  try {
    return planSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new ProvisionError({
      code: 'plan-unreadable',
      message: `${file} is not a saved plan of this version: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'make one with: provision plan INVENTORY -o FILE',
      cause,
    });
  }
}

function differs(what: string, saved: string, now: string): readonly string[] {
  return saved === now ? [] : [`${what} has changed (${saved.slice(0, 12)} → ${now.slice(0, 12)})`];
}

/** Every step that is in only one of the plans, or is another one now. */
function stepDrift(saved: PlanJson, fresh: PlanJson): readonly string[] {
  const before = stepsOf(saved);
  const after = stepsOf(fresh);
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [was, is] = [before.get(key), after.get(key)];
    return essenceOf(was) === essenceOf(is) ? [] : [`${key}: saved: ${describeStep(was)}; now: ${describeStep(is)}`];
  });
}

/** `play / host address` → step. */
function stepsOf(plan: PlanJson): ReadonlyMap<string, StepJson> {
  const entries = plan.plays.flatMap(({ name, batches }) =>
    batches.flatMap(({ hosts }) =>
      hosts.flatMap(({ host, steps }) => steps.map((step) => [`${name} / ${host} ${step.address}`, step] as const)),
    ),
  );
  return new Map(entries);
}
