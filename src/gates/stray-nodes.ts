import type { ListedNode } from '../facts/node-list.js';
import type { Cluster } from '../model/cluster.js';
import { canonicalIp } from '../model/ip.js';
import type { Probe } from '../model/remote.js';
import { listedNodes } from './listed-nodes.js';

/**
 * The nodes that Kubernetes has and the inventory does not ({@link listedNodes}). Workers count where the inventory names any; nodes of
 * others (`kube_cluster_other_nodes`) never do.
 */
export async function strayNodes(cluster: Cluster, probe: (host: string) => Probe): Promise<readonly ListedNode[]> {
  const { nodes, formerNodes } = cluster.kubernetes;
  // A node is known by its address: where a host has none, nobody can tell whose node it is.
  if ([...nodes, ...formerNodes].some(({ address }) => address === undefined)) return [];
  return (await listedNodes(cluster, probe)).filter((node) => isStray(node, cluster));
}

function isStray({ name, addresses, isControlPlane }: ListedNode, { kubernetes }: Cluster): boolean {
  const { nodes, formerNodes, settings } = kubernetes;
  // An inventory of control planes alone says nothing of workers.
  if (!isControlPlane && !nodes.some(({ kind }) => kind === 'worker')) return false;
  const known = [...nodes, ...formerNodes];
  const own = new Set(known.map(({ address = '' }) => canonicalIp(address)));
  if (addresses.some((address) => own.has(canonicalIp(address)))) return false;
  return !known.some(({ host }) => host === name) && !settings.otherNodes.some((pattern) => matches(name, pattern));
}

/** `*` is any number of characters. */
function matches(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** What a person is told of such a node, and what to do. */
export function describeStray({ name, addresses, isControlPlane }: ListedNode): string {
  const at = addresses.length === 0 ? '' : ` (${addresses.join(', ')})`;
  const group = isControlPlane ? 'kube_control_plane' : 'kube_node';
  return `Kubernetes has a node ${name}${at}, and no host of the inventory is it: neither in ${group} nor in kube_node_former`;
}
