import { askText } from '../facts/file-content.js';
import { kubeadmOutline } from '../facts/kubeadm-outline.js';
import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { NODE, nodeOutline } from '../facts/node-outline.js';
import { pathExists } from '../facts/path-exists.js';
import { ProvisionError } from '../model/errors.js';
import { isNodeName, type JoinSeen, type KubernetesNode, type KubernetesSettings } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { KUBEADM_MARK, RESET } from '../shell/kubeadm.js';
import type { KubeadmCluster, KubeadmNode } from './kubeadm-configuration.js';

/** A host, and the cluster that it is to be a part of. */
export interface KubernetesSite {
  readonly node: KubernetesNode;
  /** All control planes of the inventory, in its order. */
  readonly controlPlanes: readonly KubernetesNode[];
  /** All of it but what the kubeadm of the host says. */
  readonly cluster: Omit<KubeadmCluster, 'version'>;
  /** How far the join of a host came, by its API server. */
  readonly joinSeen: (probe: Probe, node: KubernetesNode) => Promise<JoinSeen>;
}

/** How far a host is. */
export type KubernetesState =
  /** Nothing of Kubernetes is set up. */
  | 'bare'
  /** `kubeadm init` was begun by this program: killed, or its API server runs and the cluster's objects are missing. */
  | 'begun'
  | 'serving'
  /** `kubeadm join` was begun by this program, and killed; or it came to its end, and its mark is left. */
  | 'joining'
  /** It was to leave, and the reset was killed. */
  | 'leaving'
  | 'joined';

/** What kubeadm would stumble over, and this program has not begun. */
const LEFTOVERS = [
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/manifests/kube-apiserver.yaml',
];

/** How far a host is, by its own files. @throws ProvisionError `node-half-made` where others have left off in the middle */
export async function kubernetesState(probe: Probe): Promise<KubernetesState> {
  const [mark, isJoined, ...left] = await Promise.all([
    askText(probe, KUBEADM_MARK),
    probe.ask(pathExists, USUAL_KUBELET_CONF),
    ...LEFTOVERS.map(async (path) => probe.ask(pathExists, path)),
  ]);
  const word = mark?.trim();
  if (isMarked(word)) return word;
  if (isJoined) return 'joined';
  const found = LEFTOVERS.filter((_, index) => left[index] === true);
  if (found.length === 0) return 'bare';
  throw new ProvisionError({
    code: 'node-half-made',
    message: `${probe.host}: ${found.join(', ')} ${found.length === 1 ? 'is' : 'are'} there, and no ${USUAL_KUBELET_CONF}: someone has begun to set Kubernetes up here, or to take it away`,
    hint: `finish it by hand, or where nothing of it is needed: ssh ${probe.host} sudo ${RESET}`,
  });
}

/** What a control plane has that others can join through. */
export async function isServing(probe: Probe): Promise<boolean> {
  const [state, hasAdmin] = await Promise.all([
    kubernetesState(probe),
    probe.ask(pathExists, '/etc/kubernetes/admin.conf'),
  ]);
  return state === 'joined' && hasAdmin;
}

/** What kubeadm is told of a host, with its version. @throws ProvisionError `no-kubeadm`, `node-unfit` */
export async function kubeadmView(
  { node: { host, address, ignoredChecks }, cluster }: KubernetesSite,
  probe: Probe,
): Promise<{ readonly node: KubeadmNode; readonly cluster: KubeadmCluster }> {
  const [kubeadm, { name }] = await Promise.all([
    probe.ask(kubeadmOutline, cluster.settings.imageRepository),
    probe.ask(nodeOutline, NODE),
  ]);
  const version = comingVersion(cluster.settings) ?? kubeadm?.version;
  if (version === undefined)
    throw new ProvisionError({
      code: 'no-kubeadm',
      message: `${host}: there is no kubeadm`,
      hint: 'install kubelet, kubeadm and kubectl of one version (pkgs.k8s.io)',
    });
  if (address === undefined)
    throw new ProvisionError({
      code: 'node-unfit',
      message: `${host} has no IP address in the inventory`,
      hint: `set \`ip\` of ${host} to the address by which the other nodes reach it`,
    });
  // A control plane runs commands with what this host calls itself.
  if (!isNodeName(name.toLowerCase()))
    throw new ProvisionError({
      code: 'node-unfit',
      message: `${host} calls itself ${name}, which is no name for a node (letters, digits, - and .)`,
      hint: `ssh ${host} sudo hostnamectl set-hostname NAME`,
    });
  return {
    node: { name: name.toLowerCase(), address, ignoredChecks },
    cluster: { ...cluster, version },
  };
}

/** What is installed before kubeadm is asked to do anything; nothing where the version of the packages is not simply that of Kubernetes. */
function comingVersion({ packages }: KubernetesSettings): string | undefined {
  const [, version] = /^(\d+\.\d+\.\d+)(?:-.*)?$/.exec(packages?.version ?? '') ?? [];
  return version === undefined ? undefined : `v${version}`;
}

function isMarked(word: string | undefined): word is Exclude<KubernetesState, 'bare' | 'joined'> {
  return word !== undefined && ['begun', 'serving', 'joining', 'leaving'].includes(word);
}
