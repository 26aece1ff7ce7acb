import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { canonicalIp, isAddress } from '../model/ip.js';
import { hostOf } from '../model/known-servers.js';
import type { CheckedSnapshot } from './check-snapshot.js';
import type { SnapshotManifest } from './snapshot-manifest.js';

/**
 * True when a snapshot was saved of other members than these, by what its manifest says of them: none of its peer URLs has the
 * address of one of these, and none that has a DNS name is of a member of the same name. The name of a cluster tells nothing:
 * most have the default.
 */
export function isOfOtherMembers(
  { members: saved }: Pick<SnapshotManifest, 'members'>,
  members: readonly Pick<Member, 'name' | 'address'>[],
): boolean {
  const addresses = new Set(members.map(({ address }) => canonicalIp(address)));
  const names = new Set(members.map(({ name }) => name));
  return !saved.some(({ name, peerUrls }) =>
    peerUrls.some((url) => {
      const host = hostOf(url) ?? '';
      return isAddress(host) ? addresses.has(canonicalIp(host)) : names.has(name);
    }),
  );
}

/**
 * Refuses to restore a snapshot of another cluster.
 * @param running the cluster ids that its members tell; where none answers, the manifest is held against the inventory
 * @throws ProvisionError `other-cluster`
 */
export function requireOwnSnapshot(
  { path, manifest }: Pick<CheckedSnapshot, 'path' | 'manifest'>,
  { members }: Pick<Cluster, 'members'>,
  running: readonly string[],
): void {
  if (running.length === 0) {
    if (manifest === undefined || !isOfOtherMembers(manifest, members)) return;
    const saved = manifest.members.map(({ name, peerUrls }) => `${name} at ${peerUrls.join(', ')}`);
    const wanted = members.map(({ name, address }) => `${name} at ${address}`);
    throw new ProvisionError({
      code: 'other-cluster',
      message: `${path} is of other members, saved ${manifest.savedAt}: ${saved.join(', ')}; the inventory has ${wanted.join(', ')}`,
      hint: 'where this very snapshot is meant, as after all hosts got other addresses, say so: --other-cluster',
    });
  }
  if (manifest !== undefined && running.every((id) => id === manifest.clusterId)) return;
  const what =
    manifest === undefined ? 'has no manifest' : `is of cluster ${manifest.clusterId}, saved ${manifest.savedAt}`;
  throw new ProvisionError({
    code: 'other-cluster',
    message: `${path} ${what}; the cluster that runs is ${running.join(', ')}`,
    hint: 'after a restore a cluster has another id; where this very snapshot is meant, say so: --other-cluster',
  });
}
