import { clusterNodes, type ClusterNode } from '../facts/cluster-nodes.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { isServing } from './kubernetes-host.js';

/** A control plane, and what it says of the nodes at an address; or why none says anything. */
export type NodesSeen =
  { readonly through: string; readonly nodes: readonly ClusterNode[] } | { readonly silent: string };

/** One after the other: an answer of the first suffices, and each costs a process of kubectl. */
export async function askControlPlanes(
  address: string,
  controlPlanes: readonly Pick<KubernetesNode, 'host'>[],
  probe: Probe,
): Promise<NodesSeen> {
  const serving = await Promise.all(controlPlanes.map(async ({ host }) => unlessLost(isServing(probe.on(host)))));
  let silent = 'no control plane of the inventory serves';
  for (const { host } of controlPlanes.filter((_, index) => serving[index] === true)) {
    const seen = await unlessLost(probe.on(host).ask(clusterNodes, address));
    if ('nodes' in seen) return { through: host, nodes: seen.nodes };
    silent = `${host}: ${'silent' in seen ? seen.silent : seen.message}`;
  }
  return { silent };
}
