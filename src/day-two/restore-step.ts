import { pathExists } from '../facts/path-exists.js';
import type { Run } from '../model/action.js';
import { changed, UNCHANGED, type Effect, type Resource } from '../model/change.js';
import type { Command } from '../model/remote.js';
import type { Play } from '../playbook/play.js';
import { stagePath, type RestoreStage } from '../shell/restore-stage.js';

/** systemd's own limits are below it; a kube-apiserver may take three minutes to end. */
const STEP_TIMEOUT_MS = 300_000;

/** What is done until a stage is noted on its host. */
export interface Step {
  readonly stage: RestoreStage;
  readonly summary: string;
  readonly details: readonly string[];
  readonly command: Command;
  readonly undo: Run['undo'];
  readonly effect: Effect;
  readonly disruptive: boolean;
}

/** A step as a resource: done once its stage is noted. @param id of the restore */
export function stepResource(id: string, step: Step): Resource {
  return {
    address: `restore:${step.stage}`,
    paths: [],
    async plan(probe) {
      if (await probe.ask(pathExists, stagePath(id, step.stage))) return UNCHANGED;
      return changed({
        summary: step.summary,
        diff: step.details,
        actions: [{ kind: 'run', command: step.command, undo: step.undo }],
        effect: step.effect,
        disruptive: step.disruptive,
      });
    },
  };
}

/** A command of a step. */
export function command(summary: string, script: string, more: Partial<Command> = {}): Command {
  return { summary, script, timeoutMs: STEP_TIMEOUT_MS, ...more };
}

/** A play of such resources. */
export function playOf(
  name: string,
  resources: readonly (readonly [host: string, resource: Resource])[],
  gates: Partial<Pick<Play, 'gatesBefore' | 'gatesAfter'>> = {},
): Play {
  const byHost = new Map<string, Resource[]>();
  for (const [host, resource] of resources) byHost.set(host, [...(byHost.get(host) ?? []), resource]);
  const hosts = [...byHost.keys()];
  // All hosts at once: each play is a barrier that no host passes before the others.
  return {
    name,
    hosts,
    batchSize: undefined,
    order: 'inventory',
    gatesBefore: [],
    gatesAfter: [],
    ...gates,
    resources: byHost,
  };
}
