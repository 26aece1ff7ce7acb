import { pathExists } from '../facts/path-exists.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';

/** A file that a host should not have. A dated copy is kept. */
export function absent(options: { readonly path: string }): Resource {
  const { path } = options;
  return {
    address: `absent:${path}`,
    paths: [path],
    async plan(probe) {
      if (!(await probe.ask(pathExists, path))) return UNCHANGED;
      return changed({
        summary: `remove ${path}`,
        diff: [],
        actions: [{ kind: 'remove-file', path }],
        disruptive: false,
      });
    },
  };
}
