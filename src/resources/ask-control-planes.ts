import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { clusterNodes, type ClusterNode } from '../facts/cluster-nodes.js';
import { unlessLost } from '../facts/unless-lost.js';
import { RemoteError } from '../model/errors.js';
import type { KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { readCertificates } from '../pki/inspect.js';
import { isServing } from './kubernetes-host.js';

/** A control plane, what it says of the nodes at an address, and the authorities that it has, PEM; or why none says anything. */
export type NodesSeen =
  | { readonly through: string; readonly nodes: readonly ClusterNode[]; readonly authority: string }
  | { readonly silent: string };

/** Where kubeadm has the authority that signs certificates of kubelets. */
const AUTHORITY = '/etc/kubernetes/pki/ca.crt';

/** One after the other: an answer of the first suffices, and each costs a process of kubectl. */
export async function askControlPlanes(
  address: string,
  controlPlanes: readonly Pick<KubernetesNode, 'host'>[],
  probe: Probe,
): Promise<NodesSeen> {
  const [serving, authorities] = await Promise.all([
    Promise.all(controlPlanes.map(async ({ host }) => unlessLost(isServing(probe.on(host))))),
    Promise.all(
      controlPlanes.map(async ({ host }) =>
        unlessLost(probe.on(host).ask(certificateFiles, certificateFilesKey(AUTHORITY))),
      ),
    ),
  ]);
  let silent = 'no control plane of the inventory serves';
  for (const [index, { host }] of controlPlanes.entries()) {
    const authority = authorities[index];
    if (serving[index] !== true || authority === undefined || authority instanceof RemoteError) continue;
    if (!readCertificates(authority.pem).some((each) => each !== undefined)) {
      silent = `${host}: it has no authority in ${AUTHORITY} by which nodes are known`;
      continue;
    }
    const seen = await unlessLost(probe.on(host).ask(clusterNodes, address));
    if ('nodes' in seen) return { through: host, nodes: seen.nodes, authority: authority.pem };
    silent = `${host}: ${'silent' in seen ? seen.silent : seen.message}`;
  }
  return { silent };
}
