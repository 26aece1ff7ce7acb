import { nodeList, type ListedNode } from '../facts/node-list.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import { canonicalIp } from '../model/ip.js';
import type { Probe } from '../model/remote.js';
import { serviceNamed } from '../model/virtual-service.js';

/**
 * The nodes that Kubernetes has and the inventory does not, as most control planes list them: each is asked for what its own API
 * server says. Workers count where the inventory names any; nodes of others (`kube_cluster_other_nodes`) never do.
 */
export async function strayNodes(cluster: Cluster, probe: (host: string) => Probe): Promise<readonly ListedNode[]> {
  const { controlPlanes, kubernetes } = cluster;
  const known = [...kubernetes.nodes, ...kubernetes.formerNodes];
  // A node is known by its address: where a host has none, nobody can tell whose node it is.
  if (known.some(({ address }) => address === undefined)) return [];
  const ports = new Map(serviceNamed(cluster, 'kube-apiserver')?.backends.map(({ host, port }) => [host, port]));
  const seen = await Promise.all(
    controlPlanes.map(async ({ host, address }) => {
      const server = httpsUrl(address, ports.get(host) ?? USUAL_PORT);
      return unlessLost(probe(host).ask(nodeList, server));
    }),
  );
  const lists = seen.flatMap((each) => (each instanceof RemoteError || each.kind === 'silent' ? [] : [each.nodes]));
  const believed = lists
    .flat()
    .filter(
      (node) => 2 * lists.filter((list) => list.some(({ name }) => name === node.name)).length > controlPlanes.length,
    );
  const unique = [...new Map(believed.map((node) => [node.name, node])).values()];
  return unique.filter((node) => isStray(node, cluster)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** kubeadm's `bindPort`. */
const USUAL_PORT = 6443;

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
