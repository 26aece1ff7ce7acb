import { X509Certificate } from 'node:crypto';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { askText } from '../facts/file-content.js';
import type { ClusterNode } from '../facts/cluster-nodes.js';
import { credentialsOf, nodeOf, readKubeconfig, type KubeconfigPart } from '../facts/kubeconfig.js';
import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { ProvisionError } from '../model/errors.js';
import { KUBELET_CERTIFICATE } from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { isSignedBy, readCertificates, subjectOf, usagesOf } from '../pki/inspect.js';
import { ADMIN } from '../shell/kubeadm.js';

/** A certificate of a node's kubelet. */
export interface KubeletCertificate {
  readonly pem: string;
  /** The node that it is of. */
  readonly node: string;
}

/** The certificate of a host's own kubelet; absent where it has none that names a node. */
export async function ownCertificate(probe: Probe): Promise<KubeletCertificate | undefined> {
  const pem = await certificateOf(probe);
  const node = pem === undefined ? undefined : nodeOf(pem);
  return pem === undefined || node === undefined ? undefined : { pem, node };
}

/**
 * What a certificate of a kubelet proves.
 * - `node`: that the cluster has let this host be the node that it names.
 * - `unsigned`: nothing: no authority of the cluster has signed it, and a host can write any name into one that it signs itself.
 * - `other-use`: nothing: the cluster has signed it, but not as what a node shows to its API servers. The certificate that a kubelet serves
 *   with, `serverTLSBootstrap`, is signed by the same authority, and names a node, too.
 */
export type KubeletProof = 'node' | 'unsigned' | 'other-use';

/**
 * Judges the certificate of a kubelet. When it ends is not asked: it tells who the host is, not what it may do, and the one of a node that was off
 * for a year, and is to leave, has ended.
 * @param authority of the cluster, PEM
 */
export function proofOf({ pem, node }: KubeletCertificate, authority: string): KubeletProof {
  const leaf = new X509Certificate(pem);
  // While an authority is replaced, a file has two.
  if (!readCertificates(authority).some((each) => each !== undefined && isSignedBy(leaf, each))) return 'unsigned';
  const { commonName, organizations } = subjectOf(leaf);
  const isNode = commonName === `system:node:${node}` && organizations.includes(NODES);
  return isNode && usagesOf(leaf).includes('client') ? 'node' : 'other-use';
}

/** The group that an API server counts nodes by (Kubernetes, "Using Node Authorization"). */
const NODES = 'system:nodes';

async function certificateOf(probe: Probe): Promise<string | undefined> {
  const [text, usual] = await Promise.all([
    askText(probe, USUAL_KUBELET_CONF),
    // With the kubeconfig that names it, in most cases: no look more.
    probe.ask(certificateFiles, certificateFilesKey(KUBELET_CERTIFICATE)),
  ]);
  const part = text === undefined ? undefined : certificateIn(text);
  if (part === undefined) return undefined;
  if (part.kind === 'inline') return part.pem();
  if (part.path === KUBELET_CERTIFICATE) return usual.pem;
  return (await probe.ask(certificateFiles, certificateFilesKey(part.path))).pem;
}

function certificateIn(text: string): KubeconfigPart | undefined {
  try {
    return credentialsOf(readKubeconfig(USUAL_KUBELET_CONF, text)).certificate;
  } catch (error) {
    if (error instanceof ProvisionError && error.code === 'kubeconfig-unreadable') return undefined;
    throw error;
  }
}

/**
 * An address is what a control plane says of a node, and what an inventory says of a host: both may be wrong, or old. What is done to a
 * node is done only where its host says that it is that node. A kubelet that claims the address of another host changes nothing for that one.
 * @returns none where none is listed
 * @param through the control plane that lists them
 * @throws ProvisionError `node-name-differs`
 */
export function nodesOfHost(
  host: string,
  own: string,
  through: string,
  nodes: readonly ClusterNode[],
): readonly ClusterNode[] {
  const [other] = nodes;
  const found = nodes.filter(({ name }) => name === own);
  if (found.length > 0 || other === undefined) return found;
  throw new ProvisionError({
    code: 'node-name-differs',
    message: `${host}: its kubelet is that of the node ${own}, and ${through} lists the node ${other.name} at the address that the inventory has for it`,
    hint: `compare the addresses, and set \`ip\` of ${host}: ssh ${through} sudo kubectl --kubeconfig ${ADMIN} get nodes -o wide`,
  });
}

/**
 * The same for a host that has no certificate of a kubelet any more: a node at its address is its own by the machine alone.
 * @param machine its machine ID
 */
export function nodesOfMachine(
  host: string,
  machine: string,
  through: string,
  nodes: readonly ClusterNode[],
): readonly ClusterNode[] {
  const [other] = nodes;
  const found = nodes.filter((each) => machine !== '' && each.machine === machine);
  if (found.length > 0 || other === undefined) return found;
  throw new ProvisionError({
    code: 'node-name-differs',
    message: `${host}: no certificate of a kubelet there says which node it was, and the node ${other.name}, which ${through} lists at its address, is another machine (machine ID ${other.machine || 'not told'}, not ${machine || 'known'})`,
    hint: `compare the addresses, and set \`ip\` of ${host}; or, where it stands in the place of that machine: ssh ${through} sudo kubectl --kubeconfig ${ADMIN} delete node ${other.name}`,
  });
}

/** Who else is listed at the address of a host: a kubelet writes the addresses of its own node. One line, or nothing. */
export function claimsRemark(
  own: string | undefined,
  through: string,
  nodes: readonly ClusterNode[],
): string | undefined {
  const others = own === undefined ? [] : nodes.filter(({ name }) => name !== own);
  if (others.length === 0) return undefined;
  const names = others.map(({ name }) => name).join(', ');
  return `${through} lists ${names} at its address, too: the kubelet there reports an address of another host`;
}
