import { createHash, scryptSync } from 'node:crypto';
import { lastingOf, type Action, type ActionOutline, type SendRelease } from '../model/action.js';
import type { Change } from '../model/change.js';
import type { Json } from '../model/json.js';
import {
  summarisePlan,
  type Plan,
  type PlannedPlay,
  type PlannedStep,
  type PlanOutline,
  type PlayOutline,
  type StepOutline,
} from '../model/plan.js';
import type { Command } from '../model/remote.js';
import { Secret } from '../model/secret.js';
import {
  PLAN_FORMAT,
  type ActionJson,
  type CommandJson,
  type PlanJson,
  type PlayJson,
  type StepJson,
} from './plan-schema.js';

/** As {@link Json}, but owned by the caller: a fresh copy. */
type FreshJson = string | number | boolean | null | FreshJson[] | { [key: string]: FreshJson };

function sortKeys(value: Json): FreshJson {
  if (value === null || typeof value !== 'object') return value;
  if (isArray(value)) return value.map(sortKeys);
  return sortObject(value);
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function sortObject(value: Readonly<Record<string, Json>>): Record<string, FreshJson> {
  const entries = Object.entries(value).map(([key, inner]) => [key, sortKeys(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function digestOf(data: string | Uint8Array): { sha256: string; bytes: number } {
  return { sha256: createHash('sha256').update(data).digest('hex'), bytes: Buffer.byteLength(data) };
}

function stdinToJson(stdin: Command['stdin']): CommandJson['stdin'] {
  if (stdin === undefined) return null;
  // Not even a digest: a short secret could be guessed from it.
  if (stdin instanceof Secret) return 'secret';
  return typeof stdin === 'object' && 'read' in stdin ? { sha256: stdin.sha256, bytes: stdin.bytes } : digestOf(stdin);
}

function commandToJson({ summary, script, stdin, timeoutMs }: Command): CommandJson {
  return { summary, script, stdin: stdinToJson(stdin), timeoutMs: timeoutMs ?? null };
}

/** Of etcd by its version, of what nodes have by its name. */
function releaseToJson({ release }: SendRelease): Extract<ActionJson, { kind: 'send-release' }>['release'] {
  const { sha256, source } = release;
  if ('product' in release) return { product: release.product, sha256, source };
  return { version: release.version, sha256, source, fetch: release.fetch };
}

function actionToJson(action: Action): ActionJson {
  switch (action.kind) {
    case 'write-file': {
      const { kind, path, owner, group, mode, content, validate, stagingDirectory } = action;
      return {
        ...{ kind, path, owner, group, mode, content: digestOf(content.redacted) },
        ...{ validate: validate ?? null, stagingDirectory: stagingDirectory ?? null },
      };
    }
    case 'run':
      return {
        kind: 'run',
        command: commandToJson(action.command),
        undo: typeof action.undo === 'object' && 'script' in action.undo ? commandToJson(action.undo) : null,
        lasting: lastingOf(action) ?? null,
      };
    case 'run-on': {
      const { kind, on, command, lasting } = action;
      return { kind, on, command: commandToJson(command), lasting };
    }
    case 'reboot-host':
      return { kind: action.kind };
    case 'run-on-each': {
      const { kind, hosts, command, next } = action;
      return { kind, hosts: [...hosts], command: commandToJson(command), next };
    }
    case 'create-authority':
      return { kind: action.kind, profile: sortObject(action.profile) };
    case 'move-authority':
      return { kind: action.kind, to: action.to, profile: sortObject(action.profile) };
    case 'issue-certificate': {
      const { kind, certificate, profile, destination, owner, group, mode } = action;
      return { kind, certificate, profile: sortObject(profile), destination, owner, group, mode };
    }
    case 'send-release':
      return { kind: action.kind, release: releaseToJson(action), command: commandToJson(action.command) };
    case 'join-kubernetes': {
      const { kind, through, invitation, join, revocation, configuration } = action;
      return {
        ...{ kind, through, invitation: commandToJson(invitation), join: commandToJson(join) },
        revocation: commandToJson(revocation),
        configuration: { invitation: digestOf(configuration.invitation), join: digestOf(configuration.join) },
      };
    }
    case 'await':
      return { kind: action.kind, gate: action.gate, parameters: sortObject(action.parameters) };
    case 'keep-secret':
    case 'save-snapshot':
    case 'remove-file':
    case 'make-directory':
    case 'install-trust':
      return action;
  }
}

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

/** What a change does, as JSON. */
export function actionsToJson({ actions }: Change): ActionJson[] {
  return actions.map(actionToJson);
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
  if (action.kind !== 'run' || action.lasting === null) return { kind: action.kind };
  return { kind: action.kind, undo: { lasting: action.lasting } };
}
