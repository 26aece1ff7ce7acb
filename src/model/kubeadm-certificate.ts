/** What kubeadm keeps on a control plane. */
const DIRECTORY = '/etc/kubernetes';

/** Where kubeadm keeps its certificates (its default `certificatesDir`). */
export const KUBEADM_PKI = `${DIRECTORY}/pki`;

/** Who of a control plane reads a certificate when it starts. */
export type CertificateReader = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

/** A certificate that kubeadm made on a control plane, and renews (`kubeadm certs renew NAME`). */
export interface KubeadmCertificate {
  /** As kubeadm calls it. */
  readonly name: string;
  /** `pair`: a certificate and its key, each in a file; `kubeconfig`: both in one, with the way to the API server. */
  readonly layout: 'pair' | 'kubeconfig';
  /** Of the certificate, or the kubeconfig. */
  readonly path: string;
  /** Certificate of the authority that signs it; its key stands beside it, unless the authority is elsewhere. */
  readonly authority: string;
  /** Absent: persons use it. */
  readonly readBy: CertificateReader | 'etcd' | undefined;
  /** Once this file is gone, nobody uses it any more: of a stacked member its manifest. Absent: it is used as long as it is there. */
  readonly usedWith?: string | undefined;
}

const CA = `${KUBEADM_PKI}/ca.crt`;

/**
 * kubeadm's list, in the order in which they are renewed: an administrator's first, for kubeadm asks the API server with it.
 * Without those of etcd: of an external one they are not kubeadm's.
 */
export const KUBEADM_CERTIFICATES: readonly KubeadmCertificate[] = [
  kubeconfig('admin.conf'),
  // Since v1.29.
  kubeconfig('super-admin.conf'),
  pair('apiserver', CA),
  pair('apiserver-kubelet-client', CA),
  pair('front-proxy-client', `${KUBEADM_PKI}/front-proxy-ca.crt`),
  kubeconfig('controller-manager.conf', 'kube-controller-manager'),
  kubeconfig('scheduler.conf', 'kube-scheduler'),
];

const ETCD_CA = `${KUBEADM_PKI}/etcd/ca.crt`;

/** The client certificate of the API server, which this program renews too, once API servers use members that are made here. */
export const APISERVER_ETCD_CLIENT = 'apiserver-etcd-client';

/** Of a stacked member and its API server; kubeadm's list again. @param usedWith the manifest of the member */
export function stackedCertificates(usedWith: string): readonly KubeadmCertificate[] {
  const ofMember = (name: string, readBy: 'etcd' | undefined): KubeadmCertificate => ({
    ...{ name: `etcd-${name}`, layout: 'pair', path: `${KUBEADM_PKI}/etcd/${name}.crt`, authority: ETCD_CA },
    ...{ readBy, usedWith },
  });
  return [
    ofMember('server', 'etcd'),
    ofMember('peer', 'etcd'),
    ofMember('healthcheck-client', undefined),
    { ...pair(APISERVER_ETCD_CLIENT, ETCD_CA), usedWith },
  ];
}

function pair(name: string, authority: string): KubeadmCertificate {
  return { name, layout: 'pair', path: `${KUBEADM_PKI}/${name}.crt`, authority, readBy: 'kube-apiserver' };
}

function kubeconfig(name: string, readBy?: CertificateReader): KubeadmCertificate {
  return { name, layout: 'kubeconfig', path: `${DIRECTORY}/${name}`, authority: CA, readBy };
}

/** The key beside a certificate, as kubeadm names it. */
export function keyBeside(certificate: string): string {
  return certificate.replace(/\.crt$/, '.key');
}

/** The directory that kubeadm works in (`--cert-dir`): that of etcd is within it. */
export function certificatesDirOf({ authority }: Pick<KubeadmCertificate, 'authority'>): string {
  return authority.replace(/(?:\/etcd)?\/[^/]*$/, '');
}

/** The files that hold it, the key first. */
export function filesOf({ layout, path }: Pick<KubeadmCertificate, 'layout' | 'path'>): readonly string[] {
  return layout === 'pair' ? [keyBeside(path), path] : [path];
}

/** What the kernel calls the process of a program: /proc/PID/comm has 15 characters (`TASK_COMM_LEN`). */
export function processName(program: string): string {
  return program.slice(0, 15);
}

/** The manifest of a reader's static pod, beside that of the API server. */
export function manifestOf(reader: CertificateReader, apiserverManifest: string): string {
  return reader === 'kube-apiserver' ? apiserverManifest : apiserverManifest.replace(/[^/]*$/, `${reader}.yaml`);
}

/** The client certificate of a kubelet with its key, which it renews by itself (`--rotate-certificates`). */
export const KUBELET_CERTIFICATE = '/var/lib/kubelet/pki/kubelet-client-current.pem';
