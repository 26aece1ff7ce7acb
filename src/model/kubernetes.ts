/** One host of Kubernetes, as its group and its variables describe it. */
export interface KubernetesNode {
  readonly host: string;
  /** The node's IP address; absent where no variable says it, which only a play about Kubernetes minds. */
  readonly address: string | undefined;
  readonly kind: 'control-plane' | 'worker';
  /** Whether /etc/hosts should name all nodes. */
  readonly wantsHostsEntries: boolean;
  /** Preflight checks that a person has decided to pass over, by kubeadm's names: `NumCPU`, `Mem`. */
  readonly ignoredChecks: readonly string[];
  /** Files of others that the inventory gives up. */
  readonly replaceFiles: readonly string[];
}

/** Packages of Kubernetes, of a repository of others. */
export interface KubernetesPackages {
  readonly repository: string;
  /** It ends with `/` where it is a path, which has no components. */
  readonly suite: string;
  readonly components: readonly string[];
  /** File on the control machine with the OpenPGP key that signs the repository. */
  readonly keyFile: string;
  /** `1.30.4`, or `1.30.4-1.1` for just that revision. */
  readonly version: string;
  /** Absent: whichever apt prefers. */
  readonly containerdVersion: string | undefined;
}

/** A release of upstream that nodes get in place of a package. */
export interface NodeRelease {
  readonly product: NodeProduct;
  /** Where its file is: an http or https URL, or an absolute path on the control machine. */
  readonly source: string;
  /** Nothing that would have to be kept out of sight. */
  readonly query?: undefined;
  /** SHA-256 of the file, 64 hex digits, lower case. */
  readonly sha256: string;
}

/** What upstream releases apart from each other. */
export const NODE_PRODUCTS = ['containerd', 'runc', 'cni'] as const;
/** One of {@link NODE_PRODUCTS}. */
export type NodeProduct = (typeof NODE_PRODUCTS)[number];

/** What people call them. */
export const PRODUCT_TITLES: Readonly<Record<NodeProduct, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  cni: 'the CNI plugins',
};

/** The proxies by which container runtimes pull images. */
export interface PullProxies {
  /** Of registries at http:// and at https://; absent: asked directly. */
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** What is asked directly beside the cluster itself: names, `.domains`, addresses, networks. */
  readonly exceptions: readonly string[];
}

/** What a cluster is set up with. */
export interface KubernetesSettings {
  readonly imageRepository: string;
  readonly cgroupDriver: 'systemd' | 'cgroupfs';
  /** Absent: the one that goes with the kubeadm of the host. */
  readonly sandboxImage: string | undefined;
  /** Directory of the CNI plugins on each host. */
  readonly cniBinDir: string;
  /** Registry → the URLs that are asked before it. */
  readonly registryMirrors: Readonly<Record<string, readonly string[]>>;
  /** Releases of upstream; what is none of them is a package, or others install it. */
  readonly releases?: Readonly<Partial<Record<NodeProduct, NodeRelease>>> | undefined;
  /** Absent: none. */
  readonly pullProxies?: PullProxies | undefined;
  readonly serviceSubnet: string;
  /** Absent: whoever makes the network of pods knows. */
  readonly podSubnet: string | undefined;
  readonly dnsDomain: string;
  /** For how long an API server that is asked to end still serves; 0: not at all. */
  readonly apiserverShutdownDelayS: number;
  /** Further fields of kubeadm's KubeletConfiguration and KubeProxyConfiguration. */
  readonly kubeletConfig: Readonly<Record<string, unknown>>;
  readonly proxyConfig: Readonly<Record<string, unknown>>;
  /** File on the control machine with the manifests of the pods' network. Absent: others make it. */
  readonly cniManifest: string | undefined;
  /** Names of nodes that others look after, or of none of this inventory's hosts; `*` is any number of characters. */
  readonly otherNodes: readonly string[];
  /** How long a drain may take. */
  readonly drainTimeoutS: number;
  /** What `verify --smoke-test` starts: an image that answers HTTP on port 8080, and its command; empty: that of the image. */
  readonly smokeTest: { readonly image: string; readonly command: readonly string[] };
  /** Absent: others install kubelet, kubeadm and kubectl. */
  readonly packages: KubernetesPackages | undefined;
}

/** A host that is to be a part of Kubernetes no more. Whether it was a control plane is seen on it. */
export type FormerNode = Pick<KubernetesNode, 'host' | 'address'>;

/** The part of a cluster that is Kubernetes. */
export interface Kubernetes {
  /** Every host of `kube_control_plane` and `kube_node`, each once, control planes first. */
  readonly nodes: readonly KubernetesNode[];
  /** Those of the group `kube_node_former`. */
  readonly formerNodes: readonly FormerNode[];
  readonly settings: KubernetesSettings;
}

/**
 * How far a join came whose mark is left; or why nobody can tell. `registered`: the API server has its node, and what kubeadm gives a node
 * last is missing.
 */
export type JoinSeen = 'finished' | 'registered' | 'unfinished' | { readonly unclear: string };

/** A label of RFC 1123, or several. */
const NODE_NAME = /^(?!localhost$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Whether the API server takes it as the name of a node; in lower case. */
export function isNodeName(name: string): boolean {
  return NODE_NAME.test(name);
}
