import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { versionText } from '../model/etcd-version.js';
import { wantedVersion, type ReleasedMember } from './etcd-release.js';
import { SNAPSHOT_ENCRYPTED } from './joining-steps.js';
import { lookAtVersions } from './look-at-versions.js';

/**
 * A snapshot on the control machine before the first member of a run goes to another version. Each member that does plans it,
 * for it is not known whose turn comes first: that others have gone there already is no reason to have none, for they may lie.
 */
export function snapshotBeforeUpgrade(released: ReleasedMember): Resource {
  const wanted = versionText(wantedVersion(released.release));
  return {
    address: 'snapshot:before-upgrade',
    paths: [],
    async plan(probe) {
      const { own, heard } = await lookAtVersions(released, probe);
      if (own === undefined || heard.size === 0 || versionText(own) === wanted) return UNCHANGED;
      return changed({
        summary: 'save a snapshot of the cluster on this machine, before the first member is upgraded',
        diff: [
          '+ .provision/snapshots, beside the inventory: once, by the member whose turn comes first',
          SNAPSHOT_ENCRYPTED,
        ],
        actions: [{ kind: 'save-snapshot', per: 'run' }],
        effect: 'create',
        disruptive: false,
      });
    },
  };
}
