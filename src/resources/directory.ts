import { fileState, type FileState } from '../facts/file-state.js';
import type { Ownership } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import { changeDirectoryScript } from '../shell/change-ownership.js';
import { ownershipDiff, refuseForeignLink } from './file.js';

/** A directory with this owner and mode; what is in it is not looked at. */
export function directory(options: Ownership & { readonly path: string }): Resource {
  const { path, owner, group, mode } = options;
  return {
    address: `directory:${path}`,
    paths: [],
    async plan(probe) {
      const state = await probe.ask(fileState, path);
      refuseForeignLink(path, state);
      if (state.kind === 'directory') return decideOwnership(path, options, state);
      if (state.kind !== 'absent' || state.link !== undefined)
        throw new ProvisionError({
          code: 'not-a-directory',
          message: `${path} is not a directory`,
          hint: `look at it with: ls -ld ${path}`,
        });
      return changed({
        summary: `create directory ${path} (${owner}:${group} ${mode})`,
        diff: [],
        actions: [{ kind: 'make-directory', path, owner, group, mode }],
        effect: 'create',
        disruptive: false,
      });
    },
  };
}

function decideOwnership(path: string, wanted: Ownership, found: Ownership & Pick<FileState, 'link'>): Outcome {
  const diff = ownershipDiff(wanted, found);
  if (diff.length === 0) return UNCHANGED;
  const way = found.link === undefined ? [] : [`${path} is a symbolic link to ${found.link.target}`];
  const undo = changeDirectoryScript(path, found);
  return changed({
    summary: `set owner and mode of ${path}`,
    diff: [...way, ...diff],
    actions: [
      {
        kind: 'run',
        path,
        command: { summary: `set owner and mode of ${path}`, script: changeDirectoryScript(path, wanted, found) },
        undo: { summary: `restore owner and mode of ${path}`, script: undo },
      },
    ],
    effect: 'change',
    disruptive: false,
  });
}
