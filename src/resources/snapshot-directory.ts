import { fileNames } from '../facts/file-names.js';
import { fileState } from '../facts/file-state.js';
import type { Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import { SNAPSHOT_NAMES } from '../shell/snapshot-unit.js';
import { directory } from './directory.js';

/** The directory of a host's own snapshots, for root only. One that others use is not closed to them. */
export function snapshotDirectory(path: string): Resource {
  const own = directory({ path, owner: 'root', group: 'root', mode: '0700' });
  return {
    ...own,
    async plan(probe) {
      const [outcome, state, names] = await Promise.all([
        own.plan(probe),
        probe.ask(fileState, path),
        probe.ask(fileNames, path),
      ]);
      const other = names.find((name) => !SNAPSHOT_NAMES.test(name));
      if (outcome.kind === 'unchanged' || state.kind === 'absent' || other === undefined) return outcome;
      throw new ProvisionError({
        code: 'directory-in-use',
        message: `${probe.host}: ${path} (${state.owner}:${state.group} ${state.mode}) holds ${JSON.stringify(other)}, which is no snapshot: it is not closed to others than root`,
        hint: `give the snapshots a directory of their own: etcd_snapshot_directory: ${path}/etcd`,
      });
    },
  };
}
