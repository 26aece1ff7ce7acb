import { dirname, relative } from 'node:path';
import type { FleetCluster } from './find-clusters.js';

/**
 * The clusters that changed files may concern: a file in a cluster's own directory, or below it, concerns this one; a file
 * in no cluster's directory (shared playbooks, templates, variables) concerns all.
 * @param directory of the fleet, as in the clusters' inventories
 * @param changed paths below that directory
 */
export function affectedClusters(
  clusters: readonly FleetCluster[],
  directory: string,
  changed: readonly string[],
): readonly FleetCluster[] {
  const inventories = new Set(clusters.map(({ inventory }) => relative(directory, inventory)));
  const places = clusters.map((cluster) => ({ cluster, place: placeOf(directory, cluster) }));
  const owned = changed.map((path) => {
    if (inventories.has(path)) return places.filter(({ cluster }) => relative(directory, cluster.inventory) === path);
    const owners = places.filter(({ place }) => place !== '' && path.startsWith(place));
    return owners.length === 0 ? places : owners;
  });
  const affected = new Set(owned.flat().map(({ cluster }) => cluster));
  return clusters.filter((cluster) => affected.has(cluster));
}

/** The directory that a cluster has for itself, with a slash at its end; empty: it lies beside others. */
function placeOf(directory: string, { inventory }: FleetCluster): string {
  const place = relative(directory, dirname(inventory));
  return place === '' ? '' : `${place}/`;
}
