import { DEFAULT_CLUSTER_TOKEN, type Cluster } from './cluster.js';
import { etcdWay } from './etcd-way.js';

/**
 * The name by which a person distinguishes a cluster from others: the one that its inventory sets; of the default, which most clusters
 * have, the place where clients reach it: the virtual IP, else the balancer's name, else a member's address, whatever their order.
 */
export function distinctName(cluster: Cluster): { readonly name: string; readonly is: 'its-name' | 'its-place' } {
  const { token, members } = cluster;
  if (token !== DEFAULT_CLUSTER_TOKEN) return { name: token, is: 'its-name' };
  const [place = token] = etcdWay(cluster)?.names ?? members.map(({ address }) => address).toSorted();
  return { name: place, is: 'its-place' };
}
