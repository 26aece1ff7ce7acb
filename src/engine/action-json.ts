import { createHash } from 'node:crypto';
import { lastingOf, type Action, type SendRelease } from '../model/action.js';
import type { Change } from '../model/change.js';
import type { Json } from '../model/json.js';
import type { Command } from '../model/remote.js';
import { Secret } from '../model/secret.js';
import type { ActionJson, CommandJson } from './action-schema.js';

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

/** What stands for a content in a plan. */
export function digestOf(data: string | Uint8Array): { sha256: string; bytes: number } {
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

/** What a change does, as JSON. */
export function actionsToJson({ actions }: Change): ActionJson[] {
  return actions.map(actionToJson);
}
