import { overlayChanges, overlayDifference, type OverlayChange } from '../../src/lab/overlay.js';
import type { TestLab } from './lab.js';

/** What each of some hosts has written, by host. */
export type Overlays = ReadonlyMap<string, readonly OverlayChange[]>;

/** Looks at the disks of hosts. */
export async function overlaysOf(lab: TestLab, hosts: readonly string[]): Promise<Overlays> {
  const entries = await Promise.all(
    hosts.map(async (host) => [host, await overlayChanges(await lab.host(host))] as const),
  );
  return new Map(entries);
}

/** `host path` of all that was written between two looks, without what running services write into their own data. */
export function writtenBetween(before: Overlays, after: Overlays): readonly string[] {
  // etcd and the kube-apiserver's clients go on working while we look: their data is not our doing.
  const ownData = /^\/var\/lib\/etcd\//;
  return [...after.keys()].flatMap((host) =>
    overlayDifference(before.get(host) ?? [], after.get(host) ?? [])
      .filter(({ path }) => !ownData.test(path))
      .map(({ path }) => `${host} ${path}`),
  );
}
