import { fileState } from '../facts/file-state.js';
import { unitState, type UnitState } from '../facts/unit-state.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { Probe } from '../model/remote.js';
import { serviceCommand } from '../shell/service-command.js';

/** A systemd service that a host should run. */
export interface ServiceOptions {
  /** Without `.service`. */
  readonly unit: string;
  /** What it must have been started (or reloaded) with: files, certificates. */
  readonly runsWith: readonly Resource[];
  /** Why its process must be started again, beside files. */
  readonly otherReasons?: ((probe: Probe) => Promise<readonly string[]>) | undefined;
  /** How it takes up changed files. */
  readonly onChange: 'restart' | 'reload';
  /** Clients may notice a reload too: keepalived may give its address up. Default false. */
  readonly isReloadFelt?: boolean | undefined;
  /** Started at boot; default true. */
  readonly enabled?: boolean | undefined;
}

/**
 * A service that is enabled, running, and *runs with the current files*: nothing needs to remember that a file was
 * changed, for the host itself tells which is newer.
 */
export function service(options: ServiceOptions): Resource {
  return {
    address: `service:${options.unit}`,
    paths: [],
    async plan(probe) {
      const [unit, newer, others] = await Promise.all([
        probe.ask(unitState, options.unit),
        newerFiles(options.runsWith, probe),
        options.otherReasons?.(probe) ?? [],
      ]);
      const since = options.onChange === 'reload' ? unit.loadedAt : unit.startedAt;
      return decide(options, unit, [...newer(since), ...others]);
    },
  };
}

/**
 * Which files a process does not run with yet: those that will change in this run, and those changed since it began.
 * @returns a function from the process's start (seconds since 1970) to the reasons, in words
 */
export async function newerFiles(
  resources: readonly Resource[],
  probe: Probe,
): Promise<(since: number | undefined) => readonly string[]> {
  // The directory of a file is none that a process reads: that another mode is wanted is no reason to disturb it.
  const read = resources.filter(({ paths }) => paths.length > 0);
  const found = await Promise.all(
    read.map(async (resource) => {
      // At once: what is asked in one turn travels in one exec.
      const [outcome, states] = await Promise.all([
        resource.plan(probe),
        Promise.all(resource.paths.map((path) => probe.ask(fileState, path))),
      ]);
      return { resource, outcome, states };
    }),
  );
  return (since) =>
    found.flatMap(({ resource, outcome, states }) => {
      if (outcome.kind !== 'unchanged') return [`${resource.paths.join(', ')} changes`];
      const changedAt = states.map((state) => (state.kind === 'absent' ? 0 : state.changedAt));
      const isNewer = since !== undefined && Math.max(0, ...changedAt) > since;
      return isNewer ? [`${resource.paths.join(', ')} is newer than the running process`] : [];
    });
}

function decide(options: ServiceOptions, unit: UnitState, reasons: readonly string[]): Outcome {
  const { unit: name, onChange } = options;
  const wantsEnabled = options.enabled ?? true;
  const actions: Action[] = [];
  const words: string[] = [];
  if (unit.maskedAtRuntime) {
    words.push('unmask');
    actions.push({ kind: 'run', command: serviceCommand('unmask', name), undo: serviceCommand('mask', name) });
  }
  if (wantsEnabled !== unit.enabled) {
    const verb = wantsEnabled ? 'enable' : 'disable';
    words.push(verb);
    const back = wantsEnabled ? 'disable' : 'enable';
    actions.push({ kind: 'run', command: serviceCommand(verb, name), undo: serviceCommand(back, name) });
  }
  const stale = unit.active && reasons.length > 0;
  if (!unit.active) {
    words.push('start');
    // Its package, installed on the way here, may start it too early, and what is starting already may have read what was there before:
    // only a restart takes up our files. It starts what does not run.
    actions.push({ kind: 'run', command: serviceCommand('restart', name), undo: serviceCommand('stop', name) });
  } else if (stale) {
    words.push(onChange);
    // Undone files are in place again by then: the same verb makes the service run with them.
    actions.push({ kind: 'run', command: serviceCommand(onChange, name), undo: serviceCommand(onChange, name) });
  }
  if (actions.length === 0) return UNCHANGED;
  return changed({
    summary: `${words.join(' and ')} ${name}`,
    diff: stale ? reasons.map((reason) => `because ${reason}`) : [],
    actions,
    effect: stale ? onChange : unit.active ? 'change' : 'start',
    disruptive: stale && (onChange === 'restart' || options.isReloadFelt === true),
  });
}
