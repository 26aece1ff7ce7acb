import { certificateFilesKey, type CertificateFiles } from '../../src/facts/certificate-files.js';
import { COPIES } from '../../src/facts/kubeconfig-certificates.js';
import { NOW } from '../../src/facts/clock.js';
import type { CertificateProfile } from '../../src/model/certificate.js';
import {
  KUBEADM_CERTIFICATES,
  KUBEADM_PKI,
  keyBeside,
  KUBELET_CERTIFICATE,
  stackedCertificates,
} from '../../src/model/kubeadm-certificate.js';
import { issueCertificate } from '../../src/pki/issue.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';
import type { FakeAnswers } from './fake-probe.js';
import { circumstancesAt, SERVER_PROFILE } from './test-authority.js';

const STAT = { owner: 'root', group: 'root', mode: '0600' };
const UNCHECKED = { kind: 'unchecked' } as const;
/** Of the API server. */
export const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';

/** Of a stacked member. */
export const STACKED_MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';

const NONE: CertificateFiles = { certificate: undefined, key: undefined, pem: '', publicKey: UNCHECKED };

/** What a control plane of kubeadm has, as far as it differs from a healthy one. */
export interface KubeadmHost {
  /** Signs what is not said otherwise. */
  readonly authority: SigningAuthority;
  /** Name → PEM of another certificate; `undefined`: it is not there. */
  readonly others?: Readonly<Record<string, string | undefined>>;
  /** Absent: all that is not {@link others} has this one. */
  readonly pem: string;
  /** The authority's key is not on the host. */
  readonly keyElsewhere?: boolean;
  /** When its files were changed, and its programs started, in seconds. */
  readonly changedAt?: number;
  readonly startedAt?: number;
  /** By the host's clock, in milliseconds. */
  readonly now?: number;
  /** What homes have. */
  readonly copies?: readonly { readonly path: string; readonly pem: string }[];
  readonly kubeadm?: string | undefined;
  readonly kubelet?: string;
  readonly withoutOpenssl?: boolean;
  /** Where a file is a symbolic link. */
  readonly link?: string;
  /** `--tls-cert-file` of the API server. */
  readonly serving?: string;
  /** A member of etcd runs there. */
  readonly isStacked?: boolean;
  /** What kubeadm-config says of etcd; absent: that it can't be read. */
  readonly etcdOfConfig?: 'local' | 'external';
  /** Where /etc/kubernetes/pki leads, by a link. */
  readonly pkiLeadsTo?: string;
}

/** A leaf of an authority. @param changes of a server's profile */
export async function leafOf(
  authority: SigningAuthority,
  signed: Date,
  changes: Partial<CertificateProfile> = {},
): Promise<string> {
  const profile = { ...SERVER_PROFILE, commonName: 'kubernetes-admin', ...changes };
  return (await issueCertificate(authority, profile, circumstancesAt(signed))).certificatePem;
}

/** What such a host answers. */
export function kubeadmHost(host: KubeadmHost): FakeAnswers {
  const { authority, others = {}, copies = [], changedAt = 100, startedAt = 200 } = host;
  const pemOf = (name: string): string | undefined => (Object.hasOwn(others, name) ? others[name] : host.pem);
  const files = (pem: string | undefined): CertificateFiles =>
    pem === undefined
      ? NONE
      : {
          certificate: STAT,
          key: STAT,
          pem,
          publicKey: host.withoutOpenssl === true ? UNCHECKED : { kind: 'unreadable' },
        };
  const all = [...KUBEADM_CERTIFICATES, ...stackedCertificates(STACKED_MANIFEST)];
  const pairs = all.filter(({ layout }) => layout === 'pair');
  const kubeconfigs = KUBEADM_CERTIFICATES.filter(({ layout }) => layout === 'kubeconfig');
  const signers = [...new Set(all.map((each) => each.authority))];
  const signer = { ...files(authority.certificatePem), ...(host.keyElsewhere === true ? { key: undefined } : {}) };
  const link = host.link === undefined ? {} : { link: { target: host.link, owner: 'root' } };
  const kubeadm = 'kubeadm' in host ? host.kubeadm : 'v1.20.2';
  const { etcdOfConfig } = host;
  return {
    'kubeadm-config': {
      'kubeadm-config':
        etcdOfConfig === undefined
          ? { kind: 'silent', reason: 'no route' }
          : { kind: 'found', configuration: `etcd: {${etcdOfConfig}: {dataDir: /x}}\n` },
    },
    'certificate-files': Object.fromEntries([
      ...pairs.map(({ name, path }) => [certificateFilesKey(path, keyBeside(path)), files(pemOf(name))] as const),
      ...signers.map((path) => [certificateFilesKey(path, keyBeside(path)), signer] as const),
      [certificateFilesKey(KUBELET_CERTIFICATE), files(host.kubelet)] as const,
    ]),
    'kubeconfig-certificates': Object.fromEntries([
      ...kubeconfigs.map(({ name, path }) => {
        const pem = pemOf(name);
        return [path, pem === undefined ? [] : [{ path, pem }]] as const;
      }),
      ...COPIES.map((pattern, index) => [pattern, index === 0 ? copies : []] as const),
    ]),
    'file-states': Object.fromEntries(
      all.map(({ path }) => [path, { kind: 'file', ...STAT, changedAt, sha256: undefined, ...link }]),
    ),
    'program-starts': Object.fromEntries(
      ['kube-controller', 'kube-scheduler', 'kube-apiserver'].map((name) => [name, [{ pid: 7, startedAt }]]),
    ),
    'file-contents': {
      [MANIFEST]: `spec:\n    - --tls-cert-file=${host.serving ?? `${KUBEADM_PKI}/apiserver.crt`}\n`,
    },
    'directory-ways': {
      [KUBEADM_PKI]: host.pkiLeadsTo === undefined ? undefined : { leadsTo: host.pkiLeadsTo, refused: undefined },
    },
    clock: { [NOW]: host.now ?? 0 },
    paths: {
      [STACKED_MANIFEST]: host.isStacked === true,
      '/usr/bin/kubeadm': kubeadm !== undefined,
      '/usr/local/bin/kubeadm': false,
    },
    'kubeadm-outline': {
      'registry.k8s.io': kubeadm === undefined ? undefined : { version: kubeadm, sandboxImage: 'pause:3.2' },
    },
  };
}
