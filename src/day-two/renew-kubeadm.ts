import type { Cluster } from '../model/cluster.js';
import { aboutService } from '../model/gate.js';
import {
  APISERVER_ETCD_CLIENT,
  KUBEADM_CERTIFICATES,
  manifestOf,
  stackedCertificates,
  type KubeadmCertificate,
} from '../model/kubeadm-certificate.js';
import type { Resource } from '../model/change.js';
import type { Play } from '../playbook/play.js';
import { kubeadmCertificate, type KubeadmRules } from '../resources/kubeadm-certificate.js';
import { restartedStaticPod } from '../resources/restarted-static-pod.js';
import { oneByOne, type RenewableCertificate } from './renew-certificates.js';

/** The word for all that kubeadm made: `kubeadm`, `cp-1/kubeadm`. */
const OF_KUBEADM = 'kubeadm';

/** The stacked member on a control plane, where there is one, or was one. */
function stackedOn({ formerMembers }: Pick<Cluster, 'formerMembers'>, host: string): string | undefined {
  return formerMembers.find((member) => member.host === host)?.manifest;
}

/** What kubeadm may have made on a control plane. */
function madeOn(cluster: Pick<Cluster, 'formerMembers'>, host: string): readonly KubeadmCertificate[] {
  const member = stackedOn(cluster, host);
  return [...KUBEADM_CERTIFICATES, ...(member === undefined ? [] : stackedCertificates(member))];
}

/** Every certificate of kubeadm, on every control plane that may have it. */
export function kubeadmCertificates(cluster: Cluster): readonly RenewableCertificate[] {
  return cluster.controlPlanes.flatMap(({ host }) =>
    madeOn(cluster, host).map(({ name, usedWith }) => ({
      ...{ host, name, group: OF_KUBEADM },
      // A certificate that is made here has the same name.
      ...(usedWith === undefined ? {} : { called: name === APISERVER_ETCD_CLIENT ? 'by-group' : 'by-host' }),
    })),
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
  const resources = cluster.controlPlanes.map(({ host, manifest }) => {
    const names = chosen.filter((each) => each.host === host).map(({ name }) => name);
    const certificates = madeOn(cluster, host).filter(({ name }) => names.includes(name));
    return [host, renewedWithPods(certificates, { ...rules, imageRepository, manifest })] as const;
  });
  const isOfEtcd = chosen.some(({ called }) => called !== undefined);
  const play = oneByOne('Renew certificates of kubeadm', resources, {
    // One that can't serve with what it has is no spare for the others.
    order: 'apiserver-ready-last',
    gatesBefore: ['apiserver-can-spare-batch'],
    gatesAfter: [
      // Asked with its new client certificate, the member shows its new server certificate.
      ...(isOfEtcd ? ['etcd-healthy'] : []),
      'apiserver-ready',
      // Of others the certificates may have ended, too: each is repaired in its turn.
      aboutService('batch-backends-up', 'kube-apiserver'),
      aboutService('vip-answers', 'kube-apiserver'),
    ],
  });
  return play.hosts.length === 0 ? [] : [play];
}

/**
 * Who reads certificates of kubeadm, in the order in which they are restarted. Not etcd: it reads its own again at each handshake
 * (its CHANGELOG-3.2, "Reload TLS certificates for every client connection"), and a restart could take the quorum where the certificates
 * of another member have ended.
 */
const READERS = [
  { program: 'kube-apiserver', gate: 'apiserver-ready' },
  { program: 'kube-controller-manager', gate: 'controllers-ready' },
  { program: 'kube-scheduler', gate: 'controllers-ready' },
] as const;

function renewedWithPods(chosen: readonly KubeadmCertificate[], rules: KubeadmRules): readonly Resource[] {
  const certificates = chosen.map((certificate) => ({
    readBy: certificate.readBy,
    resource: kubeadmCertificate(certificate, rules),
  }));
  const pods = READERS.flatMap(({ program, gate }) => {
    const own = certificates.filter(({ readBy }) => readBy === program).map(({ resource }) => resource);
    return own.length === 0
      ? []
      : [restartedStaticPod({ manifest: manifestOf(program, rules.manifest), program, gate }, own)];
  });
  return [...certificates.map(({ resource }) => resource), ...pods];
}
