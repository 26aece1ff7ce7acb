import { parseBoundedYaml } from './bounded-yaml.js';
import type { Command } from './remote.js';

/** Where packages and people put kubeadm: an installation from elsewhere is not looked for. */
export const KUBEADM_PLACES = ['/usr/bin/kubeadm', '/usr/local/bin/kubeadm'] as const;

/** Stand in kubeadm's configuration for what is made when a host joins, and is in no plan. */
export const JOIN_MARKS = {
  /** A bootstrap token. */
  token: '@token@',
  /** What the certificates of control planes are encrypted with, on their way through the API server. */
  certificateKey: '@certificate-key@',
  /** `sha256:` and the digest of the authority's public key, as the inviting control plane says it. */
  authority: '@authority@',
} as const;

/** Lets a host join Kubernetes, with a token that is made for it alone, and deleted again whatever comes of it. */
export interface JoinKubernetes {
  readonly kind: 'join-kubernetes';
  /** The control plane that lets it in. */
  readonly through: string;
  /** There: makes token and certificates known, and prints the authority's digest. */
  readonly invitation: Command;
  /** On the host that joins. */
  readonly join: Command;
  /** There: forgets token and certificates. */
  readonly revocation: Command;
  /** What the first two are fed with, with {@link JOIN_MARKS} in it. */
  readonly configuration: { readonly invitation: string; readonly join: string };
}

/** Whether a ClusterConfiguration is that of a Kubernetes whose etcd kubeadm runs beside the API servers. */
export function namesStackedEtcd(configuration: string): boolean {
  try {
    const data = parseBoundedYaml(configuration, { merge: true }).toJS() as {
      readonly etcd?: { readonly local?: unknown } | null;
    } | null;
    return data?.etcd?.local !== undefined;
  } catch {
    return false;
  }
}

/** The annotation of a node by which `kubeadm upgrade` finds its runtime (kubeadm, app/constants: AnnotationKubeadmCRISocket). */
export const RUNTIME_SOCKET = 'kubeadm.alpha.kubernetes.io/cri-socket';
