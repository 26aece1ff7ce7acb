import { fileState } from '../facts/file-state.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';

/** A file, or a link, that a host should not have. A dated copy is kept. */
export function absent(options: { readonly path: string }): Resource {
  const { path } = options;
  return {
    address: `absent:${path}`,
    paths: [path],
    async plan(probe) {
      const state = await probe.ask(fileState, path);
      if (state.kind === 'absent' && state.link === undefined) return UNCHANGED;
      if (state.kind === 'directory' && state.link === undefined) throw isDirectory(path);
      return changed({
        summary: `remove ${path}`,
        diff: state.link === undefined ? [] : [`- a symbolic link to ${state.link.target}`],
        actions: [{ kind: 'remove-file', path }],
        effect: 'delete',
        disruptive: false,
      });
    },
  };
}

function isDirectory(path: string): ProvisionError {
  return new ProvisionError({
    code: 'not-a-file',
    message: `${path} is a directory; only files are removed`,
    hint: `look at it with: ls -la ${path}`,
  });
}
