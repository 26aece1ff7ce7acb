import { USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { askText } from '../facts/file-content.js';
import { credentialsOf, readKubeconfig } from '../facts/kubeconfig.js';
import { KUBELET, USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { pathExists } from '../facts/path-exists.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { RemoteError } from '../model/errors.js';
import type { FormerNode, KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { askControlPlanes, type NodesSeen } from './ask-control-planes.js';
import { kubernetesState, type KubernetesState } from './kubernetes-host.js';
import { ownCertificate, proofOf, type KubeletCertificate, type KubeletProof } from './own-node-name.js';

/** What an API server shows to etcd, which lets its user read and change all of it. */
export const ETCD_CLIENT: readonly string[] = [USUAL_CLIENT_FILES.certificate, USUAL_CLIENT_FILES.key];

/** What is known of a host that is to leave Kubernetes. */
export interface FormerNodeLook {
  /** A control plane that stays, and what it says; or why none says anything. */
  readonly cluster: NodesSeen;
  /** Absent where the host can't be asked. */
  readonly here: FormerNodeHost | undefined;
}

/**
 * Whose node a host is.
 * - `ours`: its kubelet trusts an authority of the control planes that stay, and has no certificate but one that they have signed for a node.
 * - `nobodys`: it has no kubeconfig.
 * - the others: why it is not ours.
 */
export type Belonging = 'ours' | 'nobodys' | 'trusts-others' | 'unsigned' | 'other-use';

/** What is found on the host itself. */
export interface FormerNodeHost {
  readonly state: KubernetesState;
  readonly belonging: Belonging;
  /** The node that it is by the certificate of its kubelet, which they have signed; absent where it has none. */
  readonly ownName: string | undefined;
  /** Of this machine (machine-id(5)): what says which node it was where its kubelet has no certificate any more. */
  readonly machine: string;
  /** The kubelet sees pods end: a drain comes to its end. */
  readonly kubeletRuns: boolean;
  /** kubeadm runs a member of etcd there, which it would remove with its data. */
  readonly hasStackedEtcd: boolean;
  /** It has the certificate by which an API server uses etcd, or its key. */
  readonly hasEtcdClient: boolean;
}

/** Asks a host that is to leave, and the control planes that stay. */
export async function lookAtFormerNode(
  node: FormerNode,
  controlPlanes: readonly KubernetesNode[],
  probe: Probe,
): Promise<FormerNodeLook> {
  const there = probe.on(node.host);
  const [cluster, found] = await Promise.all([
    askControlPlanes(node.address ?? '', controlPlanes, probe),
    unlessLost(lookAtHost(there)),
  ]);
  if (found instanceof RemoteError) return { cluster, here: undefined };
  const { authority, certificate, ...here } = found;
  const theirs = 'through' in cluster ? cluster.authority : '';
  const proof = certificate === undefined ? undefined : proofOf(certificate, theirs);
  const ownName = proof === 'node' ? certificate?.node : undefined;
  return { cluster, here: { ...here, ownName, belonging: belongingOf(authority, proof, theirs) } };
}

/** @param authority that its kubelet trusts @param theirs those of the control planes */
function belongingOf(authority: string | undefined, proof: KubeletProof | undefined, theirs: string): Belonging {
  if (authority === undefined) return 'nobodys';
  if (!haveCommon(theirs, authority)) return 'trusts-others';
  return proof === undefined || proof === 'node' ? 'ours' : proof;
}

/** While an authority is replaced, a file has two. */
function haveCommon(one: string, other: string): boolean {
  const own = certificatesIn(one);
  return certificatesIn(other).some((each) => own.includes(each));
}

function certificatesIn(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => block.replaceAll(/\s/g, ''));
}

/** What is found on the host alone. */
interface OnHost extends Omit<FormerNodeHost, 'belonging' | 'ownName'> {
  /** That its kubelet trusts, PEM; absent where it has no kubeconfig. */
  readonly authority: string | undefined;
  readonly certificate: KubeletCertificate | undefined;
}

async function lookAtHost(there: Probe): Promise<OnHost> {
  const [state, text, certificate, machine, hasStackedEtcd, { active: kubeletRuns }, ...client] = await Promise.all([
    kubernetesState(there),
    askText(there, USUAL_KUBELET_CONF),
    ownCertificate(there),
    askText(there, '/etc/machine-id'),
    there.ask(pathExists, '/etc/kubernetes/manifests/etcd.yaml'),
    there.ask(unitState, KUBELET),
    ...ETCD_CLIENT.map(async (path) => there.ask(pathExists, path)),
  ]);
  const authority = text !== undefined ? await trustedBy(text, there) : undefined;
  const hasEtcdClient = client.includes(true);
  return { state, authority, certificate, machine: (machine ?? '').trim(), hasStackedEtcd, kubeletRuns, hasEtcdClient };
}

async function trustedBy(text: string, there: Probe): Promise<string> {
  const { ca } = credentialsOf(readKubeconfig(USUAL_KUBELET_CONF, text));
  return ca.kind === 'inline' ? ca.pem() : (await there.ask(certificateFiles, certificateFilesKey(ca.path))).pem;
}
