import { DEFAULT_CLUSTER_TOKEN, type Cluster } from '../model/cluster.js';
import { etcdWay } from '../model/etcd-way.js';

/**
 * The label `cluster` of figures and alerts. It tells a cluster from the others that one Prometheus asks, whose figures would be added
 * to its own: the name that the inventory sets; most have the default, and get the place where clients reach them to it.
 */
export function clusterLabel(cluster: Cluster): string {
  const { token, members } = cluster;
  if (token !== DEFAULT_CLUSTER_TOKEN) return token;
  const [place = ''] = etcdWay(cluster)?.names ?? members.map(({ address }) => address);
  return `${token} at ${place}`;
}
