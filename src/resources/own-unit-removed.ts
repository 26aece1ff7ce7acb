import { fileOrigin } from '../facts/file-origin.js';
import { fileState } from '../facts/file-state.js';
import { changed, UNCHANGED, type Action, type Resource } from '../model/change.js';
import type { Command, Probe } from '../model/remote.js';
import { daemonReload } from '../shell/service-command.js';

/** A unit of our own that a host had, and should have no more. */
export interface OwnUnitRemovedOptions {
  readonly address: string;
  /** For the summary: `the firewall of etcd`. */
  readonly what: string;
  /** Its files, in the order in which they go: it is there as long as one of them is. */
  readonly paths: readonly string[];
  /** What of it is left, for the plan. */
  readonly stays?: string;
  /** What else of it may be there without a file, as lines of the plan. */
  readonly beside?: (probe: Probe) => Promise<readonly string[]>;
  /** Stops it, now and for the next boot. */
  readonly remove: Command;
  /** What takes that back, once the files are there again. */
  readonly back: Command;
}

/** What is ours of a unit goes: it is stopped, and its files are removed. Whatever else is at their places stays. */
export function ownUnitRemoved(options: OwnUnitRemovedOptions): Resource {
  const { address, what, paths, beside, stays, remove, back } = options;
  return {
    address,
    paths: [],
    async plan(probe) {
      const [found, more] = await Promise.all([
        Promise.all(paths.map(async (path) => [path, await probe.ask(fileState, path)] as const)),
        beside?.(probe) ?? [],
      ]);
      const there = found.flatMap(([path, { kind }]) => (kind === 'absent' ? [] : [path]));
      const own = await ours(there, probe);
      if (own.length === 0 && more.length === 0) return UNCHANGED;
      return changed({
        summary: `remove ${what}`,
        diff: [...more, ...own.map((path) => `- ${path}`), ...(stays === undefined ? [] : [stays])],
        actions: [
          { kind: 'run', command: remove, undo: back },
          ...own.map((path): Action => ({ kind: 'remove-file', path })),
          { kind: 'run', command: daemonReload(), undo: daemonReload() },
        ],
        disruptive: false,
      });
    },
  };
}

async function ours(paths: readonly string[], probe: Probe): Promise<readonly string[]> {
  const origins = await Promise.all(paths.map(async (path) => [path, await probe.ask(fileOrigin, path)] as const));
  return origins.flatMap(([path, { kind }]) => (kind === 'ours' ? [path] : []));
}
