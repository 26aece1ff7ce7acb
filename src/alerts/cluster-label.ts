import type { Cluster } from '../model/cluster.js';
import { distinctName } from '../model/cluster-name.js';

/**
 * The label `cluster` of figures and alerts. It tells a cluster from the others that one Prometheus asks, whose figures would be added
 * to its own: the name that the inventory sets; most have the default, and get the place where clients reach them to it.
 */
export function clusterLabel(cluster: Cluster): string {
  const { name, is } = distinctName(cluster);
  return is === 'its-name' ? name : `${cluster.token} at ${name}`;
}
