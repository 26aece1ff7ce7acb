import { createPublicKey, type X509Certificate } from 'node:crypto';
import { type CertificateFiles, certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import type { CertificateDestination } from '../model/certificate.js';
import { changed, type Outcome, type Resource, UNCHANGED } from '../model/change.js';
import type { Probe } from '../model/remote.js';
import type { AuthorityView } from '../pki/authority.js';
import type { Policy, WantedCertificate } from '../pki/certificate-list.js';
import {
  type CertificateFault,
  describeSubject,
  isForKey,
  reasonsForNewKey,
  reasonsToSign,
  widenProfile,
} from '../pki/compare.js';
import { isSignedBy, publicKeyText, readCertificates } from '../pki/inspect.js';
import { ownershipOutcome } from './file.js';
import { withSignature } from './with-signature.js';

/** What a certificate is judged by, beside its own profile. */
export interface CertificateRules {
  readonly authority: AuthorityView;
  readonly now: Date;
  readonly renewBeforeDays: number;
}

/**
 * A leaf and its key on a host. It is judged by what it says and who signed it, not by being another file: whatever
 * fits is left alone. A leaf is renewed for the key that the host has, unless that key is what is wrong.
 */
export function certificateResource(wanted: WantedCertificate, rules: CertificateRules): Resource {
  const { certificatePath, keyPath } = pathsOf(wanted.destination);
  return {
    address: `certificate:${certificatePath}`,
    paths: [...new Set([certificatePath, keyPath])],
    async plan(probe: Probe): Promise<Outcome> {
      const files = await probe.ask(certificateFiles, certificateFilesKey(certificatePath, keyPath));
      return withSignature(decideCertificate(wanted, rules, files), probe.host, rules.authority);
    },
  };
}

/** All that is wrong with a certificate that a host has: the reasons for which the resource would sign it anew. */
export function certificateFaults(
  wanted: WantedCertificate,
  rules: CertificateRules,
  files: CertificateFiles,
): readonly CertificateFault[] {
  return judge(wanted, rules, files).faults;
}

/** Why a certificate is to be signed, and whether the host's key can stay. */
interface Verdict {
  /** What is to be signed: by its policy widened to what the host has. */
  readonly wanted: WantedCertificate;
  readonly faults: readonly CertificateFault[];
  /** The public key to renew for; absent: a new key is made. */
  readonly keep: string | undefined;
  /** The host has one that another authority signed. */
  readonly isForeign: boolean;
}

function decideCertificate(wanted: WantedCertificate, rules: CertificateRules, files: CertificateFiles): Outcome {
  const verdict = judge(wanted, rules, files);
  if (verdict.faults.length > 0) return signed(verdict.wanted, verdict, files);
  return wanted.policy === 'exact' ? mendOwnership(wanted, files) : UNCHANGED;
}

function judge(given: WantedCertificate, rules: CertificateRules, files: CertificateFiles): Verdict {
  const nothing = { wanted: given, keep: undefined, isForeign: false };
  const missing = missingFiles(given.destination, files);
  if (missing.length > 0) return { ...nothing, faults: missing };
  const [leaf] = readCertificates(files.pem);
  if (leaf === undefined) return { ...nothing, faults: [broken('holds no readable certificate')] };
  const wanted = given.policy === 'exact' ? given : widened(given, leaf, files);
  const { profile, destination, policy } = wanted;
  const rekey = [...keyReasons(leaf, files, policy), ...reasonsForNewKey(leaf, profile)];
  const authorityPem = rules.authority.certificate();
  const authority = authorityPem === undefined ? undefined : readCertificates(authorityPem)[0];
  const resign = reasonsToSign(leaf, { profile, authority, now: rules.now, renewBeforeDays: rules.renewBeforeDays });
  // Where openssl is missing, a key that others made is believed: etcd serves with it.
  const proven = files.publicKey.kind === 'known' || (policy === 'at-least' && files.publicKey.kind === 'unchecked');
  // A bundle is one file with its key: it can only be written whole.
  const keep =
    rekey.length === 0 && proven && destination.layout === 'pair' ? publicKeyText(leaf.publicKey) : undefined;
  const isForeign = authority === undefined || !isSignedBy(leaf, authority);
  return { wanted, faults: [...rekey, ...resign], keep, isForeign };
}

/** The same wish with all that a certificate of others has beside it. */
function widened(wanted: WantedCertificate, leaf: X509Certificate, { key }: CertificateFiles): WantedCertificate {
  return {
    ...wanted,
    profile: widenProfile(wanted.profile, leaf),
    ownership: key === undefined ? wanted.ownership : { owner: key.owner, group: key.group, mode: key.mode },
  };
}

function broken(text: string): CertificateFault {
  return { text, breaks: true };
}

function missingFiles(destination: CertificateDestination, files: CertificateFiles): readonly CertificateFault[] {
  const { certificatePath, keyPath } = pathsOf(destination);
  const paths = new Set([
    ...(files.certificate === undefined ? [certificatePath] : []),
    ...(files.key === undefined ? [keyPath] : []),
  ]);
  return [...paths].map((path) => broken(`no ${path}`));
}

function keyReasons(leaf: X509Certificate, files: CertificateFiles, policy: Policy): readonly CertificateFault[] {
  const { publicKey, key } = files;
  // A new key is more than the owner of that etcd has asked for.
  const exposed = policy === 'exact' && key !== undefined && (Number.parseInt(key.mode, 8) & 0o007) !== 0;
  const reasons = [
    ...(exposed ? [`key was open to every user of the host (mode ${key.mode})`] : []),
    ...(publicKey.kind === 'unreadable' ? ['key cannot be read'] : []),
    ...(publicKey.kind === 'known' && !isForKey(leaf, publicKeyText(createPublicKey(publicKey.pem)))
      ? ['key does not match the certificate']
      : []),
  ];
  return reasons.map(broken);
}

function signed(wanted: WantedCertificate, verdict: Verdict, files: CertificateFiles): Outcome {
  const { certificatePath } = pathsOf(wanted.destination);
  const isFirst = files.certificate === undefined && files.key === undefined;
  const reasons = verdict.faults.map(({ text }) => text);
  return changed({
    summary: isFirst
      ? `issue the ${wanted.name} certificate ${certificatePath}`
      : `reissue the ${wanted.name} certificate ${certificatePath}: ${reasons.join('; ')}`,
    diff: [...(isFirst ? [] : reasons.map((reason) => `- ${reason}`)), ...describe(wanted, verdict)],
    actions: [
      {
        kind: 'issue-certificate',
        certificate: wanted.name,
        profile: { ...wanted.profile, keepPublicKey: verdict.keep ?? null },
        destination: wanted.destination,
        ...wanted.ownership,
      },
    ],
    // Whoever still trusts only the old signer refuses the new certificate.
    disruptive: verdict.isForeign,
  });
}

function describe({ profile, ownership, destination }: WantedCertificate, verdict: Verdict): readonly string[] {
  const names = [...profile.dnsNames, ...profile.ipAddresses];
  const { keyPath } = pathsOf(destination);
  return [
    `+ ${describeSubject(profile)}, ${profile.usages.join(' and ') || 'every use'}, ${profile.days} days`,
    ...(names.length === 0 ? [] : [`+ SANs ${names.join(', ')}`]),
    verdict.keep === undefined
      ? `+ new ${profile.keyType} key ${keyPath}, ${ownership.owner}:${ownership.group} ${ownership.mode}`
      : `  for the key that the host has, ${keyPath}`,
  ];
}

/** The certificate is right; only who may read or change the files may not be. */
function mendOwnership({ destination, ownership }: WantedCertificate, files: CertificateFiles): Outcome {
  const { certificatePath, keyPath } = pathsOf(destination);
  const outcomes = [
    ...(files.key === undefined ? [] : [ownershipOutcome(keyPath, ownership, files.key)]),
    ...(files.certificate === undefined || certificatePath === keyPath
      ? []
      : [ownershipOutcome(certificatePath, { ...ownership, mode: '0644' }, files.certificate)]),
  ];
  const changes = outcomes.flatMap((outcome) => (outcome.kind === 'change' ? [outcome.change] : []));
  if (changes.length === 0) return UNCHANGED;
  return changed({
    summary: changes.map((change) => change.summary).join(', '),
    diff: changes.flatMap((change) => change.diff),
    actions: changes.flatMap((change) => change.actions),
    disruptive: false,
  });
}

/** The files of a certificate: the same path twice for a bundle. */
export function pathsOf(destination: CertificateDestination): {
  readonly certificatePath: string;
  readonly keyPath: string;
} {
  return destination.layout === 'pair' ? destination : { certificatePath: destination.path, keyPath: destination.path };
}
