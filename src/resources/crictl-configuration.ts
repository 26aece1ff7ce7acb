import { fileOrigin } from '../facts/file-origin.js';
import { fileState } from '../facts/file-state.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Probe } from '../model/remote.js';
import { file, type FileOptions } from './file.js';

/**
 * What crictl asks where nothing else is said. One that another tool wrote stays, and is named: it may be of another runtime, as CRI-O, and
 * nothing that is set up here needs it.
 */
export function crictlConfiguration(options: FileOptions): Resource {
  const own = file(options);
  const isForeign = async (probe: Probe): Promise<boolean> =>
    (await probe.ask(fileState, options.path)).kind !== 'absent' &&
    (await probe.ask(fileOrigin, options.path)).kind === 'foreign';
  return {
    ...own,
    async plan(probe) {
      const outcome = await own.plan(probe);
      return outcome.kind === 'change' && (await isForeign(probe)) ? UNCHANGED : outcome;
    },
    async doubt(probe) {
      const outcome = await own.plan(probe);
      if (outcome.kind !== 'change' || !(await isForeign(probe))) return undefined;
      return `${options.path} was written by another tool, and stays: crictl asks the runtime that it names`;
    },
  };
}
