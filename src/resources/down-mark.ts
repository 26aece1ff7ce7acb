import { fileState } from '../facts/file-state.js';
import { unitState } from '../facts/unit-state.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { quote } from '../shell/quote.js';
import { daemonReload } from '../shell/service-command.js';
import { file, type FileOptions } from './file.js';

/** A unit that leaves a mark while it is down. */
export interface MarkedUnit {
  /** Without `.service`. */
  readonly unit: string;
  /** A file that is there while the unit has ended and nothing serves in its place. */
  readonly mark: string;
  /** The file of systemd that makes and removes the mark. */
  readonly dropIn: string;
}

/** The drop-in as a file. */
export interface DownMarkOptions extends MarkedUnit {
  readonly file: Omit<FileOptions, 'path'>;
}

/**
 * A drop-in that systemd knows: whatever runs goes on as it is. A mark of a unit that runs is removed: someone took the
 * drop-in away while the unit was down.
 */
export function downMark({ unit, mark, dropIn, file: options }: DownMarkOptions): Resource {
  const address = `drop-in:${dropIn}`;
  const written = file({ ...options, path: dropIn });
  return {
    address,
    paths: [dropIn],
    async plan(probe) {
      const [outcome, state, found] = await Promise.all([
        written.plan(probe),
        probe.ask(unitState, unit),
        probe.ask(fileState, mark),
      ]);
      if (outcome.kind === 'unknown') return outcome;
      const change = outcome.kind === 'change' ? outcome.change : undefined;
      const isUnknown = change === undefined && state.needsDaemonReload;
      const isStale = state.active && found.kind !== 'absent';
      if (change === undefined && !isUnknown && !isStale) return UNCHANGED;
      const actions: readonly Action[] = [
        ...(change?.actions ?? []),
        ...(change !== undefined || isUnknown ? [TAKE_UP] : []),
        ...(isStale ? [unmark(unit, mark)] : []),
      ];
      const words = [
        ...(change === undefined ? [] : [change.summary]),
        ...(isUnknown ? [`have systemd read ${dropIn}`] : []),
        ...(isStale ? [`remove ${mark}`] : []),
      ];
      const diff = [...(change?.diff ?? []), ...(isStale ? [`- ${mark}: ${unit} runs`] : [])];
      return changed({
        summary: words.join(', and '),
        diff,
        actions,
        effect: change?.effect ?? (isUnknown ? 'change' : 'delete'),
        disruptive: change?.disruptive ?? false,
      });
    },
  };
}

/** Undone after the files were put back: systemd then knows those. */
const TAKE_UP: Action = { kind: 'run', command: daemonReload(), undo: daemonReload() };

/** Only while it runs: it may have ended since it was looked at. */
function unmark(unit: string, mark: string): Action {
  const script = `! systemctl is-active --quiet ${quote(`${unit}.service`)} || rm -f ${quote(mark)}`;
  return { kind: 'run', path: mark, command: { summary: `remove ${mark}`, script }, undo: 'nothing' };
}

/** What takes the drop-in of a unit that is about to be retired away, so that its end is no fault of its successor. */
export function withoutMark({ mark, dropIn }: MarkedUnit): readonly Action[] {
  const script = `systemctl daemon-reload && rm -f ${quote(mark)}`;
  return [
    { kind: 'remove-file', path: dropIn },
    { kind: 'run', command: { summary: 'systemctl daemon-reload', script }, undo: daemonReload() },
  ];
}
