import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { canonicalIp, isAddress } from '../model/ip.js';
import { hostOf } from '../model/known-servers.js';
import type { CheckedSnapshot } from './check-snapshot.js';
import type { SnapshotManifest } from './snapshot-manifest.js';

/**
 * True when a snapshot was saved of other members than these, by what its manifest says of them: of no more than half of them a peer
 * URL has the address of one of these, or, where it has a DNS name, the member has a name of one of these.
 */
export function isOfOtherMembers(
  { members: saved }: Pick<SnapshotManifest, 'members'>,
  members: readonly Pick<Member, 'name' | 'address'>[],
): boolean {
  const addresses = new Set(members.map(({ address }) => canonicalIp(address)));
  const names = new Set(members.map(({ name }) => name));
  const own = saved.filter(({ name, peerUrls }) =>
    peerUrls.some((url) => {
      const host = hostOf(url) ?? '';
      return isAddress(host) ? addresses.has(canonicalIp(host)) : names.has(name);
    }),
  );
  return own.length * 2 <= saved.length;
}

/**
 * Refuses to restore a snapshot of another cluster.
 * @param running the cluster ids that its members tell; where none answers, the manifest is held against the inventory
 * @throws ProvisionError `other-cluster`
 */
export function requireOwnSnapshot(
  { path, manifest }: Pick<CheckedSnapshot, 'path' | 'manifest'>,
  { members, token }: Pick<Cluster, 'members' | 'token'>,
  running: readonly string[],
): void {
  if (running.length === 0) {
    if (manifest === undefined)
      throw refusal(`${path} has no manifest that can be read, and no member answers: nothing tells whose it is`);
    if (manifest.cluster !== token)
      throw refusal(
        `${path} is of the cluster ${manifest.cluster}, saved ${manifest.savedAt}; the inventory's is ${token}`,
      );
    if (!isOfOtherMembers(manifest, members)) return;
    const saved = manifest.members.map(({ name, peerUrls }) => `${name} at ${peerUrls.join(', ')}`);
    const wanted = members.map(({ name, address }) => `${name} at ${address}`);
    throw refusal(
      `${path} is of other members, saved ${manifest.savedAt}: ${saved.join(', ')}; the inventory has ${wanted.join(', ')}`,
      'where this very snapshot is meant, as after all hosts got other addresses, say so: --other-cluster',
    );
  }
  if (manifest !== undefined && running.every((id) => id === manifest.clusterId)) return;
  const what =
    manifest === undefined
      ? 'has no manifest that can be read'
      : `is of cluster ${manifest.clusterId}, saved ${manifest.savedAt}`;
  throw refusal(
    `${path} ${what}; the cluster that runs is ${running.join(', ')}`,
    'after a restore a cluster has another id; where this very snapshot is meant, say so: --other-cluster',
  );
}

function refusal(message: string, hint = 'where this very snapshot is meant, say so: --other-cluster'): ProvisionError {
  return new ProvisionError({ code: 'other-cluster', message, hint });
}
