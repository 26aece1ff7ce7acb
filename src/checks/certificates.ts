import { certificateFiles, certificateFilesKey, type CertificateFiles } from '../facts/certificate-files.js';
import { askText } from '../facts/file-content.js';
import type { ClientFiles } from '../model/certificate.js';
import type { Cluster, ControlPlane } from '../model/cluster.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import {
  apiserverCertificates,
  apiserverTrust,
  balancerCertificates,
  balancerTrust,
  memberCertificates,
  memberTrust,
  type WantedTrust,
  type WantedCertificate,
} from '../pki/certificate-list.js';
import { notAfterOf, readCertificates } from '../pki/inspect.js';
import { clientFilesOf, CONTAINER } from '../facts/apiserver-manifest.js';
import { certificateFaults } from '../resources/certificate.js';
import { pathsOf } from '../resources/judge-certificate.js';
import { readStaticPodManifest } from '../facts/static-pod-manifest.js';
import { isTrustBundle } from '../resources/trust-bundle.js';
import { quote } from '../shell/quote.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckContext, CheckItem } from './check.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The certificates of one part of a host, and where it keeps the authority. */
export interface CertificatePart {
  readonly host: string;
  readonly certificates: readonly WantedCertificate[];
  readonly trust: WantedTrust;
}

/** The authority in the store, and of every host: each certificate with its key, and what the host trusts. */
export const checkCertificates: Check = async (context) => {
  const { cluster, probe } = context;
  const parts = certificateParts(cluster);
  const hosts = [...new Set(parts.map(({ host }) => host))];
  const [ofParts, ofControlPlanes] = await Promise.all([
    itemsOfHosts(hosts, async (host) => {
      const own = parts.filter((part) => part.host === host);
      return (await Promise.all(own.map((part) => partItems(context, part)))).flat();
    }),
    itemsOfHosts(
      cluster.controlPlanes.map(({ host }) => host),
      async (host) => {
        const controlPlane = cluster.controlPlanes.find((each) => each.host === host);
        const part = controlPlane && (await partOfApiserver(context, controlPlane, probe(host)));
        const items = part === undefined ? [] : await partItems(context, part);
        return controlPlane?.repoint === 'on-demand' ? items.map(byRepoint) : items;
      },
    ),
  ]);
  return [authorityItem(context), ...ofParts, ...ofControlPlanes];
};

/** Where API servers move on demand, no other playbook writes their files. */
function byRepoint(item: CheckItem): CheckItem {
  return /^provision\splan /.test(item.next ?? '') ? { ...item, next: `${item.next} --playbook repoint` } : item;
}

/** What members and balancers should have. */
export function certificateParts(cluster: Cluster): readonly CertificatePart[] {
  return [
    ...cluster.members.map((member) => ({
      host: member.host,
      certificates: memberCertificates(cluster, member),
      trust: memberTrust(cluster, member),
    })),
    ...cluster.services.flatMap((service) => {
      const trust = balancerTrust(service);
      const certificates = balancerCertificates(cluster, service);
      return trust === undefined ? [] : service.balancers.map(({ host }) => ({ host, certificates, trust }));
    }),
  ];
}

/** What a control plane should have whose kube-apiserver reads these files. */
export function apiserverPart(cluster: Cluster, host: string, files: ClientFiles): CertificatePart {
  const certificates = apiserverCertificates(cluster, { certificatePath: files.certificate, keyPath: files.key });
  return { host, certificates, trust: apiserverTrust(cluster, files.ca) };
}

/** The files that the host's manifest names; none where the manifest cannot be read: the check of apiservers says so. */
export async function partOfApiserver(
  { cluster }: Pick<CheckContext, 'cluster'>,
  { host, manifest: path }: ControlPlane,
  probe: Probe,
): Promise<CertificatePart | undefined> {
  try {
    const text = await askText(probe, path);
    if (text === undefined) return undefined;
    return apiserverPart(cluster, host, clientFilesOf(readStaticPodManifest(path, text, CONTAINER)));
  } catch (error) {
    if (error instanceof ProvisionError && /^(manifest|file)-unreadable$/.test(error.code)) return undefined;
    throw error;
  }
}

async function partItems(
  context: CheckContext,
  { host, certificates, trust }: CertificatePart,
): Promise<readonly CheckItem[]> {
  const probe = context.probe(host);
  const [trusted, ...items] = await Promise.all([
    probe.ask(certificateFiles, certificateFilesKey(trust.path)),
    ...certificates.map(async (wanted) => {
      const { certificatePath, keyPath } = pathsOf(wanted.destination);
      const files = await probe.ask(certificateFiles, certificateFilesKey(certificatePath, keyPath));
      return certificateItem(context, { host, wanted, files });
    }),
  ]);
  return [trustItem(context, { host, trust, trusted }), ...items];
}

function certificateItem(
  { certificates: rules, inventory, cluster }: CheckContext,
  found: { readonly host: string; readonly wanted: WantedCertificate; readonly files: CertificateFiles },
): CheckItem {
  const { host, wanted, files } = found;
  const item = { check: 'certificate', host, subject: pathsOf(wanted.destination).certificatePath };
  const faults = certificateFaults(wanted, rules, files);
  const next = `provision plan ${quote(inventory)}`;
  if (faults.length > 0) {
    const verdict = faults.some(({ breaks }) => breaks) ? 'fail' : 'warn';
    return { ...item, verdict, evidence: faults.map(({ text }) => text).join('; '), next };
  }
  const [leaf] = readCertificates(files.pem);
  if (leaf === undefined) throw new Error('a certificate without faults can be read');
  const names = namesOfWay(wanted, cluster);
  const evidence = `signed by this cluster's authority${names}, ${validity(notAfterOf(leaf), rules.now)}`;
  if (files.publicKey.kind === 'known') return { ...item, verdict: 'ok', evidence: `matches its key, ${evidence}` };
  const install = `ssh ${host} sudo apt-get install openssl`;
  return {
    ...item,
    verdict: 'warn',
    evidence: `${evidence}; its key could not be compared: no openssl`,
    next: install,
  };
}

function namesOfWay({ profile }: WantedCertificate, { services, external }: CheckContext['cluster']): string {
  if (services.some(({ endpoint }) => profile.ipAddresses.includes(endpoint.ip))) return ', names the virtual IP';
  const { ip, name } = external ?? { ip: undefined, name: undefined };
  const isNamed = [...profile.ipAddresses, ...profile.dnsNames].some((each) => each === ip || each === name);
  return isNamed ? ', names the load balancer that others run' : '';
}

function trustItem(
  { certificates: { authority }, inventory }: CheckContext,
  found: { readonly host: string; readonly trust: WantedTrust; readonly trusted: CertificateFiles },
): CheckItem {
  const item = { check: 'trust', host: found.host, subject: found.trust.path };
  const holds = `${found.trust.policy === 'exact' ? 'is' : 'holds'} the authority in the store`;
  if (isTrustBundle(found.trust, found.trusted, authority.trustBundle()))
    return { ...item, verdict: 'ok', evidence: holds };
  const evidence = found.trusted.pem === '' ? 'holds no certificate' : 'is not the authority in the store';
  return { ...item, verdict: 'fail', evidence, next: `provision plan ${quote(inventory)}` };
}

function authorityItem({ certificates: { authority, now, renewBeforeDays }, cluster }: CheckContext): CheckItem {
  const item = { check: 'authority', subject: cluster.certificates.store };
  const pem = authority.certificate();
  const found = pem === undefined ? undefined : readCertificates(pem)[0];
  if (found === undefined)
    return {
      ...item,
      verdict: 'fail',
      evidence: 'has no certificate authority: certificates can be neither verified nor signed',
      next: 'set etcd_pki_store to the directory with ca.crt, or import one: provision ca import STORE --certificate FILE --key FILE',
    };
  const end = notAfterOf(found);
  const evidence = validity(end, now);
  if (end <= now) return { ...item, verdict: 'fail', evidence, next: 'provision ca show STORE' };
  // Leaves never outlive it: from here on each renewal is shorter than it should be.
  const isEnding = end.getTime() - now.getTime() < (cluster.certificates.leafDays + renewBeforeDays) * DAY_MS;
  if (isEnding)
    return {
      ...item,
      verdict: 'warn',
      evidence: `${evidence}: shorter than the lifetime of a leaf certificate`,
      next: 'provision ca show STORE',
    };
  return { ...item, verdict: 'ok', evidence };
}

/** `valid until 2027-01-31 (66 days)`, `expired on 2026-01-31`. */
export function validity(end: Date, now: Date): string {
  const days = Math.floor((end.getTime() - now.getTime()) / DAY_MS);
  const day = end.toISOString().slice(0, 10);
  return days < 0 ? `expired on ${day}` : `valid until ${day} (${counted(days, 'day')})`;
}
