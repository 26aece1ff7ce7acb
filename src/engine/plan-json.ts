import { scryptSync } from 'node:crypto';
import type { ActionOutline } from '../model/action.js';
import type { Change } from '../model/change.js';
import {
  summarisePlan,
  type Plan,
  type PlannedPlay,
  type PlannedStep,
  type PlanOutline,
  type PlayOutline,
  type StepOutline,
} from '../model/plan.js';
import { actionsToJson, digestOf } from './action-json.js';
import type { ActionJson } from './action-schema.js';
import { PLAN_FORMAT, type PlanJson, type PlayJson, type StepJson } from './plan-schema.js';

/** A step as it is in a saved plan. */
export function stepToJson(step: PlannedStep): StepJson {
  const { address, outcome, before } = step;
  const task = step.task === undefined ? {} : { task: step.task };
  if (outcome.kind === 'unknown') return { kind: 'unknown', address, ...task, because: outcome.because };
  const { summary, effect, disruptive, diff } = outcome.change;
  return {
    ...{
      kind: 'change',
      address,
      ...task,
      summary,
      effect,
      disruptive,
      diff: [...diff],
      actions: actionsToJson(outcome.change),
    },
    before: before === undefined ? null : digestOfBefore(before, outcome.change),
  };
}

/**
 * The digest of what was there. A file that holds a secret may be known but for that: then it takes so long to make (scrypt
 * with the costs of RFC 7914, section 2, for logins) that guessing is no way to the secret.
 */
function digestOfBefore(before: string, { diff, actions }: Change): string {
  const isSecret =
    diff.some((line) => line.includes('[redacted]')) ||
    actions.some((action) => action.kind === 'write-file' && action.content.redacted !== action.content.reveal());
  return isSecret ? scryptSync(before, 'provision', 32).toString('hex') : digestOf(before).sha256;
}

function playToJson({ name, order, batchSize, leftOut, gatesBefore, gatesAfter, batches }: PlannedPlay): PlayJson {
  return {
    name,
    order,
    serial: batchSize ?? null,
    leftOut: [...leftOut],
    gatesBefore: [...gatesBefore],
    gatesAfter: [...gatesAfter],
    batches: batches.map(({ hosts }) => ({
      hosts: hosts.map(({ host, steps, unchanged }) => ({ host, steps: steps.map(stepToJson), unchanged })),
    })),
  };
}

/** A plan as JSON (docs/reference/plan.md): the same plan always gives the same text. It holds no secret. */
export function planToJson(plan: Plan): PlanJson {
  const { tool, inventoryDigest, playbook, playbookDigest, limit, away, plays } = plan;
  return {
    ...{ formatVersion: PLAN_FORMAT, tool, inventoryDigest, playbook, playbookDigest, limit: limit ?? null },
    away: away.map(({ host, because }) => ({ host, because })),
    ...{ summary: summarisePlan(plan), plays: plays.map(playToJson) },
  };
}

/** What people read of a plan that was read back; its contents are digests. */
export function planOutline({
  tool,
  inventoryDigest,
  playbook,
  playbookDigest,
  limit,
  away,
  plays,
}: PlanJson): PlanOutline {
  return {
    ...{ tool, inventoryDigest, playbook, playbookDigest, limit: limit ?? undefined, away },
    plays: plays.map(playOutline),
  };
}

function playOutline({ serial, batches, ...play }: PlayJson): PlayOutline {
  return {
    ...{ ...play, batchSize: serial ?? undefined },
    batches: batches.map(({ hosts }) => ({
      hosts: hosts.map(({ steps, ...host }) => ({ ...host, steps: steps.map(stepOutline) })),
    })),
  };
}

function stepOutline(step: StepJson): StepOutline {
  const { address, task } = step;
  if (step.kind === 'unknown') return { address, task, outcome: { kind: 'unknown', because: step.because } };
  const { summary, effect, disruptive, diff, actions } = step;
  return {
    address,
    task,
    outcome: { kind: 'change', change: { summary, effect, disruptive, diff, actions: actions.map(actionOutline) } },
  };
}

function actionOutline(action: ActionJson): ActionOutline {
  if (action.kind === 'run-on') return { kind: action.kind, lasting: action.lasting };
  if (action.kind !== 'run' || action.lasting === null) return { kind: action.kind };
  return { kind: action.kind, undo: { lasting: action.lasting } };
}
