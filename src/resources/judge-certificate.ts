import { createPublicKey, type X509Certificate } from 'node:crypto';
import type { CertificateFiles } from '../facts/certificate-files.js';
import type { CertificateDestination } from '../model/certificate.js';
import type { AuthorityView } from '../pki/authority.js';
import { BACKDATE_MS } from '../pki/backdate.js';
import type { Policy, WantedCertificate } from '../pki/certificate-list.js';
import { type CertificateFault, isForKey, reasonsForNewKey, reasonsToSign, widenProfile } from '../pki/compare.js';
import { saysAuthority } from '../pki/extensions.js';
import { beyondProfile } from '../pki/granted.js';
import { isSignedBy, publicKeyText, readCertificates } from '../pki/inspect.js';
import type { ForeignFiles } from './file.js';

/** What a certificate is judged by, beside its own profile. */
export interface CertificateRules {
  readonly authority: AuthorityView;
  readonly now: Date;
  readonly renewBeforeDays: number;
  /** What an adopted certificate may say beyond the list, whoever signed it: `etcd_cert_grants`. */
  readonly grants?: readonly string[];
  /** Given: a certificate that no authority of the store signed is not replaced without a word. */
  readonly foreign?: ForeignFiles;
  /** A renewal that was asked for: of each that was signed before this run began. Absent: only what is due. */
  readonly renewal?: Renewal;
}

/** A renewal that a person asked for. */
export interface Renewal {
  /** The beginning of the run. */
  readonly begun: Date;
  readonly key: 'kept' | 'new';
}

/** Why a certificate is to be signed, and whether the host's key can stay. */
export interface Verdict {
  /** What is to be signed: by its policy widened to what the host has. */
  readonly wanted: WantedCertificate;
  /** What the host has; absent: nothing readable. */
  readonly leaf: X509Certificate | undefined;
  readonly faults: readonly CertificateFault[];
  /** The public key to renew for; absent: a new key is made. */
  readonly keep: string | undefined;
  /** The host has one that another authority signed. */
  readonly isForeign: boolean;
  readonly rights: Rights;
}

/**
 * May this be signed? `refused`: the host's certificate says more than this authority may sign for it. `unproven`: what it
 * says beyond the inventory's list goes to a new key only where the host proves to hold the old one.
 */
export type Rights =
  | { readonly kind: 'granted' }
  | { readonly kind: 'refused'; readonly items: readonly string[]; readonly because: string }
  | { readonly kind: 'unproven'; readonly items: readonly string[] };

const GRANTED: Rights = { kind: 'granted' };

/** Judges what a host has of a certificate. Pure. */
export function judgeCertificate(given: WantedCertificate, rules: CertificateRules, files: CertificateFiles): Verdict {
  const nothing = { wanted: given, leaf: undefined, keep: undefined, isForeign: false, rights: GRANTED };
  const missing = missingFiles(given.destination, files);
  if (missing.length > 0) return { ...nothing, faults: missing };
  const [leaf] = readCertificates(files.pem);
  if (leaf === undefined) return { ...nothing, faults: [broken('holds no readable certificate')] };
  const wanted = given.policy === 'exact' ? given : widened(given, leaf, files);
  const { profile, destination, policy } = wanted;
  const authority = signerOf(rules);
  const asked = isRenewalDue(leaf, rules) ? [{ text: 'its renewal was asked for', breaks: false }] : [];
  const rekey = [...keyReasons(leaf, files, policy), ...reasonsForNewKey(leaf, profile)];
  const alsoTrusted = trustedBy(rules).filter(({ fingerprint256 }) => fingerprint256 !== authority?.fingerprint256);
  const { now, renewBeforeDays } = rules;
  const resign = reasonsToSign(leaf, { profile, authority, alsoTrusted, now, renewBeforeDays });
  // Where openssl is missing, a key that another tool made is believed: etcd serves with it.
  const proven = files.publicKey.kind === 'known' || (policy === 'at-least' && files.publicKey.kind === 'unchecked');
  const mayKeep = rekey.length === 0 && proven && !(asked.length > 0 && rules.renewal?.key === 'new');
  // A bundle is one file with its key: it can only be written whole.
  const keep = mayKeep && destination.layout === 'pair' ? publicKeyText(leaf.publicKey) : undefined;
  return {
    ...{ wanted, leaf, keep, faults: [...rekey, ...resign, ...asked] },
    isForeign: authority === undefined || !isOurs(leaf, rules),
    rights: rightsOf(leaf, { given, rules, files, keep }),
  };
}

function signerOf({ authority }: CertificateRules): X509Certificate | undefined {
  const pem = authority.certificate();
  return pem === undefined ? undefined : readCertificates(pem)[0];
}

/** What was signed in this run is not asked for again. */
function isRenewalDue(leaf: X509Certificate, { renewal }: CertificateRules): boolean {
  if (renewal === undefined) return false;
  // Certificates count in whole seconds.
  const begun = Math.floor(renewal.begun.getTime() / 1000) * 1000;
  return new Date(leaf.validFrom).getTime() < begun - BACKDATE_MS;
}

/**
 * What a host shows is no reason to sign it. A certificate that an authority of this cluster signed before was granted
 * then, and is renewed for its own key; whoever wants the same for another key must prove to hold that one, for
 * certificates are public: a host could show another's.
 */
function rightsOf(
  leaf: X509Certificate,
  judged: {
    readonly given: WantedCertificate;
    readonly rules: CertificateRules;
    readonly files: CertificateFiles;
    readonly keep: string | undefined;
  },
): Rights {
  const { given, rules, files, keep } = judged;
  if (given.policy === 'exact') return GRANTED;
  if (saysAuthority(leaf))
    return { kind: 'refused', items: ['CA:TRUE'], because: 'it is the certificate of an authority' };
  const grants = new Set(rules.grants);
  const items = beyondProfile(leaf, given.profile).filter((item) => !grants.has(item));
  if (items.length === 0) return GRANTED;
  if (!isOurs(leaf, rules))
    return { kind: 'refused', items, because: "this cluster's authority has not signed it before" };
  if (keep !== undefined) return GRANTED;
  if (isKeyOf(leaf, files)) return { kind: 'unproven', items };
  return { kind: 'refused', items, because: 'the key beside it is not its own' };
}

/** Whether an authority of the store signed it. */
export function isOurs(leaf: X509Certificate, rules: CertificateRules): boolean {
  return trustedBy(rules).some((signer) => isSignedBy(leaf, signer));
}

function trustedBy({ authority }: CertificateRules): readonly X509Certificate[] {
  return readCertificates(authority.trustBundle() ?? '').filter((each) => each !== undefined);
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
    ...(publicKey.kind === 'known' && !isKeyOf(leaf, files) ? ['key does not match the certificate'] : []),
  ];
  return reasons.map(broken);
}

function isKeyOf(leaf: X509Certificate, { publicKey }: CertificateFiles): boolean {
  return publicKey.kind === 'known' && isForKey(leaf, publicKeyText(createPublicKey(publicKey.pem)));
}

/** The files of a certificate: the same path twice for a bundle. */
export function pathsOf(destination: CertificateDestination): {
  readonly certificatePath: string;
  readonly keyPath: string;
} {
  return destination.layout === 'pair' ? destination : { certificatePath: destination.path, keyPath: destination.path };
}
