import { posix } from 'node:path';
import type { X509Certificate } from 'node:crypto';
import { askHosts } from '../checks/ask-hosts.js';
import type { CheckContext } from '../checks/check.js';
import { askedNodes } from '../checks/kubeadm-certificates.js';
import { apiserverPart, certificateParts, partOfApiserver, type CertificatePart } from '../checks/certificates.js';
import { USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { directoryCertificates } from '../facts/directory-certificates.js';
import { COPIES, kubeconfigCertificates } from '../facts/kubeconfig-certificates.js';
import { pathExists } from '../facts/path-exists.js';
import type { ControlPlane } from '../model/cluster.js';
import {
  KUBEADM_CERTIFICATES,
  KUBEADM_PKI,
  KUBELET_CERTIFICATE,
  stackedCertificates,
  type KubeadmCertificate,
} from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { describeNames } from '../pki/alternative-names.js';
import type { WantedCertificate } from '../pki/certificate-list.js';
import { namesOf, notAfterOf, readCertificates, usagesOf } from '../pki/inspect.js';
import { describeAttributes, readSubject } from '../pki/subject.js';
import { certificateFaults } from '../resources/certificate.js';
import { pathsOf } from '../resources/judge-certificate.js';
import type { CertificateListing, ListedCertificate } from './certificate-schema.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Every certificate of the cluster: the authority in the store, what each host has of the list of certificates, whom it
 * trusts, what kubeadm made on control planes, and what kubelets show. One exec a host.
 */
export async function listCertificates(context: CheckContext): Promise<Omit<CertificateListing, 'formatVersion'>> {
  const { cluster, probe, inventory } = context;
  const parts = certificateParts(cluster);
  const nodes = askedNodes(cluster);
  const hosts = [...new Set([...parts.map(({ host }) => host), ...nodes])];
  const { heard, unreachable } = await askHosts(hosts, async (host) => {
    const own = parts.filter((part) => part.host === host);
    const controlPlane = cluster.controlPlanes.find((each) => each.host === host);
    const [listed, ofApiserver, others] = await Promise.all([
      Promise.all(own.map(async (part) => listPart(context, part, probe(host)))),
      controlPlane === undefined ? [] : listApiserver(context, controlPlane, probe(host)),
      nodes.includes(host) ? listKubernetes(context, probe(host), { isControlPlane: controlPlane !== undefined }) : [],
    ]);
    const ours = [...listed.flat(), ...ofApiserver];
    const known = new Set(ours.map(({ path }) => path));
    return unique([...ours, ...others.filter(({ path }) => !known.has(path))]);
  });
  const all = [...listAuthority(context), ...[...heard.values()].flat()];
  return {
    inventory,
    certificates: all.toSorted((a, b) => endOf(a) - endOf(b)),
    unreachable: unreachable.map(({ host = '', evidence }) => ({ host, message: evidence })),
  };
}

/** A host that is member and balancer may trust by one file. */
function unique(listed: readonly ListedCertificate[]): readonly ListedCertificate[] {
  return [...new Map(listed.map((each) => [`${each.path}\0${each.sha256 ?? ''}`, each])).values()];
}

function endOf({ validUntil }: ListedCertificate): number {
  return validUntil === null ? Number.NEGATIVE_INFINITY : Date.parse(validUntil);
}

function listAuthority({ certificates: { authority, now }, cluster }: CheckContext): readonly ListedCertificate[] {
  const path = posix.join(cluster.certificates.store, 'ca.crt');
  return readCertificates(authority.trustBundle() ?? '').map((certificate) =>
    listed({ name: 'ca', host: null, path, kind: 'authority', certificate, faults: [] }, now),
  );
}

async function listPart(
  context: CheckContext,
  { host, certificates, trust }: CertificatePart,
  probe: Probe,
): Promise<readonly ListedCertificate[]> {
  const [trusted, ...leaves] = await Promise.all([
    probe.ask(certificateFiles, certificateFilesKey(trust.path)),
    ...certificates.map(async (wanted) => listLeaf(context, wanted, probe)),
  ]);
  const found = readCertificates(trusted.pem);
  const { now } = context.certificates;
  const common = { name: `${host}/trust`, host, path: trust.path, kind: 'trust' } as const;
  const faults = found.length === 0 ? [`no certificate in ${trust.path}`] : [];
  const rows = (found.length === 0 ? [undefined] : found).map((certificate) =>
    listed({ ...common, certificate, faults }, now),
  );
  return [...leaves, ...rows];
}

/** The usual files are asked for together with the manifest that may name others. */
async function listApiserver(
  context: CheckContext,
  controlPlane: ControlPlane,
  probe: Probe,
): Promise<readonly ListedCertificate[]> {
  const usualPart = apiserverPart(context.cluster, controlPlane.host, USUAL_CLIENT_FILES);
  const [part, usual] = await Promise.all([
    partOfApiserver(context, controlPlane, probe),
    listPart(context, usualPart, probe),
  ]);
  if (part === undefined) return [];
  const isUsual = JSON.stringify(part) === JSON.stringify(usualPart);
  return isUsual ? usual : listPart(context, part, probe);
}

async function listLeaf(
  { certificates: rules }: CheckContext,
  wanted: WantedCertificate,
  probe: Probe,
): Promise<ListedCertificate> {
  const { certificatePath, keyPath } = pathsOf(wanted.destination);
  const files = await probe.ask(certificateFiles, certificateFilesKey(certificatePath, keyPath));
  const [certificate] = readCertificates(files.pem);
  const faults = certificateFaults(wanted, rules, files).map(({ text }) => text);
  const name = `${probe.host}/${wanted.name}`;
  return listed({ name, host: probe.host, path: certificatePath, kind: 'leaf', certificate, faults }, rules.now);
}

/** Of a control plane: files of kubeadm, kubeconfigs, and copies of these; of any node what its kubelet shows. */
async function listKubernetes(
  { certificates: { now }, cluster }: CheckContext,
  probe: Probe,
  { isControlPlane }: { readonly isControlPlane: boolean },
): Promise<readonly ListedCertificate[]> {
  const member = cluster.formerMembers.find(({ host }) => host === probe.host)?.manifest;
  const [kubelet, isStacked, files, kubeconfigs] = await Promise.all([
    probe.ask(certificateFiles, certificateFilesKey(KUBELET_CERTIFICATE)),
    member !== undefined && probe.ask(pathExists, member),
    isControlPlane ? probe.ask(directoryCertificates, KUBEADM_PKI) : [],
    isControlPlane ? Promise.all(KUBECONFIGS.map(async (each) => probe.ask(kubeconfigCertificates, each))) : [],
  ]);
  const known = [...KUBEADM_CERTIFICATES, ...(isStacked && member !== undefined ? stackedCertificates(member) : [])];
  const all = [{ path: KUBELET_CERTIFICATE, pem: kubelet.pem }, ...files, ...kubeconfigs.flat()];
  return all.flatMap(({ path, pem }) =>
    readCertificates(pem).map((certificate) => {
      const name = `${probe.host}/${nameOf(path, known)}`;
      return listed({ name, host: probe.host, path, kind: 'kubernetes', certificate, faults: [] }, now);
    }),
  );
}

const OF_KUBEADM = KUBEADM_CERTIFICATES.filter(({ layout }) => layout === 'kubeconfig').map(({ path }) => path);

/** Those of kubeadm, and where people keep copies. */
const KUBECONFIGS = [...OF_KUBEADM, ...COPIES];

/** What `certs renew` calls it; what it can't renew by its place. */
function nameOf(path: string, known: readonly KubeadmCertificate[]): string {
  if (path === KUBELET_CERTIFICATE) return 'kubelet';
  const name = known.find((each) => each.path === path)?.name;
  return name ?? (path.startsWith(`${KUBEADM_PKI}/`) ? posix.relative(KUBEADM_PKI, path) : path.slice(1));
}

function listed(
  found: Pick<ListedCertificate, 'name' | 'host' | 'path' | 'kind' | 'faults'> & {
    readonly certificate: X509Certificate | undefined;
  },
  now: Date,
): ListedCertificate {
  const { certificate, ...given } = found;
  if (certificate === undefined) return { ...given, ...NOTHING };
  const end = notAfterOf(certificate);
  return {
    ...given,
    subject: describeAttributes(readSubject(certificate.subject)),
    issuer: describeAttributes(readSubject(certificate.issuer)),
    names: [...describeNames(namesOf(certificate))],
    usages: [...usagesOf(certificate)],
    validFrom: new Date(certificate.validFrom).toISOString(),
    validUntil: end.toISOString(),
    daysLeft: Math.floor((end.getTime() - now.getTime()) / DAY_MS),
    serial: certificate.serialNumber.toLowerCase(),
    sha256: certificate.fingerprint256,
  };
}

const NOTHING = {
  ...{ subject: null, issuer: null, names: [], usages: [], validFrom: null, validUntil: null },
  ...{ daysLeft: null, serial: null, sha256: null },
};
