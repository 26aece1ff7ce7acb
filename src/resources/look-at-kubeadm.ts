import type { X509Certificate } from 'node:crypto';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { kubeconfigCertificates } from '../facts/kubeconfig-certificates.js';
import { keyBeside, type KubeadmCertificate } from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { readCertificates } from '../pki/inspect.js';

/** What a control plane has of a certificate of kubeadm. */
export interface KubeadmFound {
  readonly certificate: KubeadmCertificate;
  /** Its file is there. */
  readonly isThere: boolean;
  /** Absent: nothing that can be read. */
  readonly leaf: X509Certificate | undefined;
  /** The key is there, within the kubeconfig or beside the certificate. */
  readonly hasKey: boolean;
  readonly authority: X509Certificate | undefined;
  /** The authority's key is on the host. */
  readonly canSign: boolean;
  /** By which keys are compared. */
  readonly hasOpenssl: boolean;
}

/** Asks for a certificate and for who signs it, in one turn. */
export async function lookAtKubeadm(certificate: KubeadmCertificate, probe: Probe): Promise<KubeadmFound> {
  const { authority } = certificate;
  const [own, signer] = await Promise.all([
    certificate.layout === 'pair' ? pairOf(certificate, probe) : kubeconfigOf(certificate, probe),
    probe.ask(certificateFiles, certificateFilesKey(authority, keyBeside(authority))),
  ]);
  const { pem, ...found } = own;
  return {
    ...{ certificate, ...found },
    leaf: readCertificates(pem)[0],
    authority: readCertificates(signer.pem)[0],
    canSign: signer.key !== undefined,
    hasOpenssl: signer.publicKey.kind !== 'unchecked',
  };
}

type Own = Pick<KubeadmFound, 'isThere' | 'hasKey'> & { readonly pem: string };

async function pairOf({ path }: KubeadmCertificate, probe: Probe): Promise<Own> {
  const files = await probe.ask(certificateFiles, certificateFilesKey(path, keyBeside(path)));
  return { isThere: files.certificate !== undefined, hasKey: files.key !== undefined, pem: files.pem };
}

async function kubeconfigOf({ path }: KubeadmCertificate, probe: Probe): Promise<Own> {
  const [file] = await probe.ask(kubeconfigCertificates, path);
  return { isThere: file !== undefined, hasKey: file !== undefined, pem: file?.pem ?? '' };
}
