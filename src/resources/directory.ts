import { fileState } from '../facts/file-state.js';
import { changed, type Ownership, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import { ownershipOutcome } from './file.js';

/** A directory with this owner and mode; what is in it is not looked at. */
export function directory(options: Ownership & { readonly path: string }): Resource {
  const { path, owner, group, mode } = options;
  return {
    address: `directory:${path}`,
    paths: [],
    async plan(probe) {
      const state = await probe.ask(fileState, path);
      if (state.kind === 'directory') return ownershipOutcome(path, options, state);
      if (state.kind !== 'absent')
        throw new ProvisionError({
          code: 'not-a-directory',
          message: `${path} is not a directory`,
          hint: `look at it with: ls -ld ${path}`,
        });
      return changed({
        summary: `create directory ${path} (${owner}:${group} ${mode})`,
        diff: [],
        actions: [{ kind: 'make-directory', path, owner, group, mode }],
        disruptive: false,
      });
    },
  };
}
