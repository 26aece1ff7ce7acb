import type { Cluster, ControlPlane } from '../model/cluster.js';
import { aboutService } from '../model/gate.js';
import { KUBEADM_CERTIFICATES, manifestOf, type CertificateReader } from '../model/kubeadm-certificate.js';
import type { Resource } from '../model/change.js';
import type { Play } from '../playbook/play.js';
import { kubeadmCertificate, type KubeadmRules } from '../resources/kubeadm-certificate.js';
import { restartedStaticPod } from '../resources/restarted-static-pod.js';
import { oneByOne, type RenewableCertificate } from './renew-certificates.js';

/** The word for all that kubeadm made: `kubeadm`, `cp-1/kubeadm`. */
const OF_KUBEADM = 'kubeadm';

/** Every certificate of kubeadm, on every control plane that may have it. */
export function kubeadmCertificates({ controlPlanes }: Cluster): readonly RenewableCertificate[] {
  return controlPlanes.flatMap(({ host }) =>
    KUBEADM_CERTIFICATES.map(({ name }) => ({ host, name, group: OF_KUBEADM })),
  );
}

/**
 * A play that has kubeadm renew these certificates, one control plane after the other, and restarts the static pods that read them
 * at their start. None where none of them is chosen.
 */
export function kubeadmPlays(
  cluster: Cluster,
  chosen: readonly RenewableCertificate[],
  rules: Omit<KubeadmRules, 'imageRepository' | 'manifest'>,
): readonly Play[] {
  const { imageRepository } = cluster.kubernetes.settings;
  const resources = cluster.controlPlanes.map((controlPlane) => {
    const names = chosen.filter(({ host }) => host === controlPlane.host).map(({ name }) => name);
    return [
      controlPlane.host,
      renewedWithPods(controlPlane, names, { ...rules, imageRepository, manifest: controlPlane.manifest }),
    ] as const;
  });
  const play = oneByOne('Renew certificates of kubeadm', resources, {
    // One that can't serve with what it has is no spare for the others.
    order: 'apiserver-ready-last',
    gatesBefore: ['apiserver-can-spare-batch'],
    gatesAfter: [
      'apiserver-ready',
      // Of others the certificates may have ended, too: each is repaired in its turn.
      aboutService('batch-backends-up', 'kube-apiserver'),
      aboutService('vip-answers', 'kube-apiserver'),
    ],
  });
  return play.hosts.length === 0 ? [] : [play];
}

/** Who reads certificates of kubeadm, in the order in which they are restarted. */
const READERS: readonly { readonly program: CertificateReader; readonly gate: string }[] = [
  { program: 'kube-apiserver', gate: 'apiserver-ready' },
  { program: 'kube-controller-manager', gate: 'controllers-ready' },
  { program: 'kube-scheduler', gate: 'controllers-ready' },
];

function renewedWithPods(
  { manifest }: ControlPlane,
  names: readonly string[],
  rules: KubeadmRules,
): readonly Resource[] {
  const certificates = KUBEADM_CERTIFICATES.filter(({ name }) => names.includes(name)).map((certificate) => ({
    readBy: certificate.readBy,
    resource: kubeadmCertificate(certificate, rules),
  }));
  const pods = READERS.flatMap(({ program, gate }) => {
    const own = certificates.filter(({ readBy }) => readBy === program).map(({ resource }) => resource);
    return own.length === 0
      ? []
      : [restartedStaticPod({ manifest: manifestOf(program, manifest), program, gate }, own)];
  });
  return [...certificates.map(({ resource }) => resource), ...pods];
}
