import type { SendRelease } from '../model/action.js';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import type { Inventory } from '../model/inventory.js';
import { plannedChanges, type Plan } from '../model/plan.js';
import type { World } from '../engine/world.js';
import { unreadableNamed } from '../roles/named-file.js';

type Release = SendRelease['release'];

/**
 * Tarballs of this machine that a plan would send must be there, and be the right ones, before it is shown: apply would
 * find out in the middle of its first host. What a mirror has is found out by apply, which alone downloads.
 * @throws InputError with the place of the variable, ProvisionError `release-differs`
 */
export async function checkReleases(
  plan: Plan,
  inventory: Pick<Inventory, 'hosts'>,
  openRelease: World['openRelease'],
): Promise<void> {
  for (const release of releasesHere(plan)) {
    try {
      await openRelease(release);
    } catch (error) {
      if (!(error instanceof ProvisionError) || error.code !== 'release-unreadable') throw error;
      throw unreadableNamed(
        { variable: variableOf(release), path: release.source },
        inventory,
        fileReason(error.cause),
      );
    }
  }
}

function releasesHere(plan: Plan): readonly Release[] {
  const sent = plannedChanges(plan).flatMap(({ change }) =>
    change.actions.flatMap((action) => (action.kind === 'send-release' ? [action.release] : [])),
  );
  const here = sent.filter(({ source }) => !/^https?:\/\//.test(source));
  return [...new Map(here.map((release) => [release.source, release])).values()];
}

function variableOf(release: Release): string {
  return 'product' in release ? `kube_cluster_${release.product}_release` : 'etcd_release_url';
}
