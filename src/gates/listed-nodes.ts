import { nodeList, type ListedNode } from '../facts/node-list.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { serviceNamed } from '../model/virtual-service.js';

/** kubeadm's `bindPort`. */
const USUAL_PORT = 6443;

/**
 * The nodes that Kubernetes has, and what is so about each, as most control planes list them: each is asked for what its own API server
 * says. Those that say nothing count, too.
 */
export async function listedNodes(cluster: Cluster, probe: (host: string) => Probe): Promise<readonly ListedNode[]> {
  const { controlPlanes } = cluster;
  const ports = new Map(serviceNamed(cluster, 'kube-apiserver')?.backends.map(({ host, port }) => [host, port]));
  const seen = await Promise.all(
    controlPlanes.map(async ({ host, address }) => {
      const server = httpsUrl(address, ports.get(host) ?? USUAL_PORT);
      return unlessLost(probe(host).ask(nodeList, server));
    }),
  );
  const lists = seen.flatMap((each) => (each instanceof RemoteError || each.kind === 'silent' ? [] : [each.nodes]));
  const isOfMost = (is: (node: ListedNode) => boolean): boolean =>
    2 * lists.filter((list) => list.some(is)).length > controlPlanes.length;
  const unique = [...new Map(lists.flat().map((node) => [node.name, node])).values()];
  return unique
    .filter(({ name }) => isOfMost((node) => node.name === name))
    .map((each) => ({ ...each, isUpgrading: isOfMost(({ name, isUpgrading }) => name === each.name && isUpgrading) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
