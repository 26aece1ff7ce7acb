import { pathExists } from '../facts/path-exists.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { packages, type PackagesOptions } from './packages.js';

/** Packages for a host that has none of these programs, from wherever. @param programs absolute paths */
export function packagesUnless(programs: readonly string[], options: PackagesOptions): Resource {
  const installed = packages(options);
  return {
    ...installed,
    async plan(probe) {
      const [outcome, ...there] = await Promise.all([
        installed.plan(probe),
        ...programs.map(async (path) => probe.ask(pathExists, path)),
      ]);
      return there.includes(true) ? UNCHANGED : outcome;
    },
  };
}
