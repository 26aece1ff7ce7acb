import { fileOrigin } from '../facts/file-origin.js';
import { fileState } from '../facts/file-state.js';
import { isInUse, unitState } from '../facts/unit-state.js';
import type { Action, Ownership } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import type { Content } from '../model/content.js';
import { withoutMark, type MarkedUnit } from './down-mark.js';
import { stopForGood } from './stop-for-good.js';

/** A unit of ours from an earlier inventory, that another one has taken the place of. */
export interface RetiredUnit {
  /** Without `.service`. */
  readonly unit: string;
  /** It is ours only as long as this file is. */
  readonly configFile: string;
  /** Who takes its place. */
  readonly successor: string;
  /** A script that someone still runs to know whether it serves: from now on it asks the successor. */
  readonly script?: { readonly path: string; readonly content: Content } | undefined;
  /** It leaves a mark when it ends: no more of that before it is stopped. */
  readonly marked?: MarkedUnit | undefined;
}

const SCRIPT: Ownership = { owner: 'root', group: 'root', mode: '0755' };

/** Stops a unit that was ours, once its successor runs; one that serves another application is left alone. */
export function retiredUnit({ unit, configFile, successor, script, marked }: RetiredUnit): Resource {
  return {
    address: `retired:${unit}`,
    paths: [],
    async plan(probe) {
      const [state, origin, old] = await Promise.all([
        probe.ask(unitState, unit),
        probe.ask(fileOrigin, configFile),
        script === undefined ? undefined : probe.ask(fileState, script.path),
      ]);
      if (origin.kind !== 'ours' || !isInUse(state)) return UNCHANGED;
      const actions: Action[] = [];
      if (script !== undefined && old?.kind === 'file') actions.push({ kind: 'write-file', ...script, ...SCRIPT });
      if (marked !== undefined && (await probe.ask(fileOrigin, marked.dropIn)).kind === 'ours')
        actions.push(...withoutMark(marked));
      actions.push(...stopForGood(unit, state));
      return changed({
        summary: `stop and disable ${unit}: ${successor} takes its place`,
        diff: [`connections through ${unit} end; new ones go through ${successor}`],
        actions,
        effect: 'stop',
        disruptive: state.active,
      });
    },
  };
}
