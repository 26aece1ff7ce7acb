import { fileOrigin } from '../facts/file-origin.js';
import { fileState } from '../facts/file-state.js';
import { isInUse, unitState } from '../facts/unit-state.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import type { Command, Probe } from '../model/remote.js';
import { daemonReload, serviceCommand } from '../shell/service-command.js';
import { stopForGood } from './stop-for-good.js';

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
  readonly end: UnitEnd;
}

/** How a unit ends before its files go. */
export type UnitEnd =
  /** A timer or a socket is stopped and disabled, as far as it runs and is enabled, and where its file is no one else's. */
  | { readonly kind: 'stop'; readonly unit: string; readonly path: string }
  /** What stops it, now and for the next boot; and what takes that back, once the files are there again. */
  | { readonly kind: 'run'; readonly remove: Command; readonly back: Command };

/** What is ours of a unit goes: it is stopped, and its files are removed. Whatever else is at their places stays. */
export function ownUnitRemoved(options: OwnUnitRemovedOptions): Resource {
  const { address, what, paths, beside, stays, end } = options;
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
      const { lines, actions } = await ending(end, { there, own }, probe);
      return changed({
        summary: `remove ${what}`,
        diff: [...more, ...lines, ...own.map((path) => `- ${path}`), ...(stays === undefined ? [] : [stays])],
        actions: [
          ...actions,
          ...own.map((path): Action => ({ kind: 'remove-file', path })),
          { kind: 'run', command: daemonReload(), undo: daemonReload() },
        ],
        effect: 'delete',
        disruptive: false,
      });
    },
  };
}

interface Ending {
  readonly lines: readonly string[];
  readonly actions: readonly Action[];
}

async function ending(
  end: UnitEnd,
  { there, own }: { readonly there: readonly string[]; readonly own: readonly string[] },
  probe: Probe,
): Promise<Ending> {
  if (end.kind === 'run') return { lines: [], actions: [{ kind: 'run', command: end.remove, undo: end.back }] };
  const { unit, path } = end;
  const state = await probe.ask(unitState, unit);
  const isForeign = there.includes(path) && !own.includes(path);
  if (isForeign || !isInUse(state)) return { lines: [], actions: [] };
  if (own.includes(path)) {
    const verbs = [...(state.enabled ? ['disable'] : []), 'stop'];
    return { lines: [`${verbs.join(' and ')} ${unit}`], actions: stopForGood(unit, state) };
  }
  // Without its file, systemd can stop it, and not start it again.
  const undo = { lasting: `${unit} stays stopped` };
  return { lines: [`stop ${unit}`], actions: [{ kind: 'run', command: serviceCommand('stop', unit), undo }] };
}

async function ours(paths: readonly string[], probe: Probe): Promise<readonly string[]> {
  const origins = await Promise.all(paths.map(async (path) => [path, await probe.ask(fileOrigin, path)] as const));
  return origins.flatMap(([path, { kind }]) => (kind === 'ours' ? [path] : []));
}
