import { JOIN_MARKS } from '../model/kubeadm.js';
import type { KubernetesSettings } from '../model/kubernetes.js';
import { tokenDescription } from '../shell/kubeadm.js';

/** A host, as it stands in the configuration of kubeadm. */
export interface KubeadmNode {
  /** Of its node. */
  readonly name: string;
  readonly address: string;
  readonly ignoredChecks: readonly string[];
}

/** The whole cluster, as kubeadm is told of it. */
export interface KubeadmCluster {
  /** Of the kubeadm on the host, `v1.20.2`; of the cluster too. */
  readonly version: string;
  /** `10.0.0.100:8443`. */
  readonly endpoint: string;
  /** Names and addresses of {@link endpoint}. */
  readonly certSans: readonly string[];
  readonly etcd: {
    readonly endpoints: readonly string[];
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  };
  readonly settings: KubernetesSettings;
}

/** Versions of kubeadm's configuration. */
type ApiVersion = 'v1beta2' | 'v1beta3' | 'v1beta4';

/**
 * The newest configuration that a kubeadm writes: v1beta3 since v1.22, v1beta4 since v1.31 (kubeadm's release notes; v1beta2 is gone since
 * v1.27).
 */
export function apiVersionFor(version: string): ApiVersion {
  const minor = Number(/^v1\.(\d+)\./.exec(version)?.[1]);
  if (minor >= 31) return 'v1beta4';
  return minor >= 22 ? 'v1beta3' : 'v1beta2';
}

/** As JSON has them. */
type Fields = Readonly<Record<string, unknown>>;

/** JSON is YAML; kubeadm splits documents at the lines between. */
function documents(parts: readonly Fields[]): string {
  return parts.map((part) => JSON.stringify(part, undefined, 2)).join('\n---\n');
}

const GROUP = 'kubeadm.k8s.io';

/** Where the kubelet finds containerd, as the kubeadm of a version writes it: without a scheme until v1.24 wanted one. */
export function runtimeSocket(version: string): string {
  const socket = '/run/containerd/containerd.sock';
  return apiVersionFor(version) === 'v1beta2' ? socket : `unix://${socket}`;
}

function registration({ name, address, ignoredChecks }: KubeadmNode, version: string): Fields {
  const api = apiVersionFor(version);
  return {
    name,
    criSocket: runtimeSocket(version),
    kubeletExtraArgs: api === 'v1beta4' ? [{ name: 'node-ip', value: address }] : { 'node-ip': address },
    ignorePreflightErrors: ignoredChecks,
  };
}

/** Balancers take an API server out while it still serves: in kubeadm's own configuration it closes its port at once. */
function shutdownDelay({ apiserverShutdownDelayS: seconds }: KubernetesSettings, api: ApiVersion): Fields {
  if (seconds === 0) return {};
  const [name, value] = ['shutdown-delay-duration', `${seconds}s`];
  return { extraArgs: api === 'v1beta4' ? [{ name, value }] : { [name]: value } };
}

/** How long a token lasts that a killed run left. */
const TOKEN_TTL = '15m0s';

/** What `kubeadm init` and its phases are given; a token is to be filled in, and for control planes that join a key. */
export function initConfiguration(
  node: KubeadmNode,
  cluster: KubeadmCluster,
  { joining, withKey }: { readonly joining: string; readonly withKey: 'certificate-key' | 'nothing' },
): string {
  const api = apiVersionFor(cluster.version);
  const { settings } = cluster;
  const { podSubnet, serviceSubnet, dnsDomain } = settings;
  return documents([
    {
      apiVersion: `${GROUP}/${api}`,
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: node.address, bindPort: 6443 },
      nodeRegistration: registration(node, cluster.version),
      bootstrapTokens: [{ token: JOIN_MARKS.token, ttl: TOKEN_TTL, description: tokenDescription(joining) }],
      ...(withKey === 'nothing' ? {} : { certificateKey: JOIN_MARKS.certificateKey }),
    },
    {
      apiVersion: `${GROUP}/${api}`,
      kind: 'ClusterConfiguration',
      kubernetesVersion: cluster.version,
      imageRepository: settings.imageRepository,
      controlPlaneEndpoint: cluster.endpoint,
      apiServer: { certSANs: cluster.certSans, ...shutdownDelay(settings, api) },
      networking: { serviceSubnet, dnsDomain, ...(podSubnet === undefined ? {} : { podSubnet }) },
      etcd: { external: cluster.etcd },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: settings.cgroupDriver,
      ...settings.kubeletConfig,
    },
    { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', ...settings.proxyConfig },
  ]);
}

/** What `kubeadm join` is given; token, authority and key are to be filled in. */
export function joinConfiguration(
  node: KubeadmNode,
  kind: 'control-plane' | 'worker',
  { version, endpoint }: Pick<KubeadmCluster, 'version' | 'endpoint'>,
): string {
  const { token, authority, certificateKey } = JOIN_MARKS;
  const bootstrapToken = { apiServerEndpoint: endpoint, token, caCertHashes: [authority] };
  const controlPlane = kind === 'worker' ? undefined : { certificateKey };
  return joining(node, version, { discovery: { bootstrapToken }, controlPlane });
}

/** What the phases of `kubeadm join` are given that come last, on a control plane which has its own way to the cluster by then. */
export function lastPhasesConfiguration(node: KubeadmNode, version: string): string {
  const discovery = { file: { kubeConfigPath: '/etc/kubernetes/admin.conf' } };
  return joining(node, version, { discovery, controlPlane: {} });
}

function joining(
  node: KubeadmNode,
  version: string,
  { discovery, controlPlane }: { readonly discovery: Fields; readonly controlPlane: Fields | undefined },
): string {
  const localAPIEndpoint = { advertiseAddress: node.address, bindPort: 6443 };
  return documents([
    {
      apiVersion: `${GROUP}/${apiVersionFor(version)}`,
      kind: 'JoinConfiguration',
      discovery,
      nodeRegistration: registration(node, version),
      ...(controlPlane === undefined ? {} : { controlPlane: { localAPIEndpoint, ...controlPlane } }),
    },
  ]);
}
