import type { X509Certificate } from 'node:crypto';
import type { CertificateProfile } from '../model/certificate.js';
import { describeNames } from './alternative-names.js';
import { keyUsagesIn, saysAuthority } from './extensions.js';
import {
  isKeyType,
  isSignedBy,
  isUsage,
  keyTypeOf,
  namesOf,
  notAfterOf,
  publicKeyText,
  subjectOf,
  usagesOf,
} from './inspect.js';
import { counted } from '../model/counted.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a found certificate is judged against. */
export interface Judgement {
  readonly profile: CertificateProfile;
  /** The signing certificate; `undefined` while it is still to be made: nothing is signed by it yet. */
  readonly authority: X509Certificate | undefined;
  /** Others that hosts trust: during a rotation of the authority. What they signed serves, and is to be signed again. */
  readonly alsoTrusted?: readonly X509Certificate[];
  readonly now: Date;
  readonly renewBeforeDays: number;
}

/** One thing that is wrong with a certificate or its key. */
export interface CertificateFault {
  readonly text: string;
  /** It does its work no longer, or its key is no secret; else it only is not what the inventory says. */
  readonly breaks: boolean;
  /** A line of a diff that says the same, where it is about one name: `+ SAN DNS new`. */
  readonly diff?: string;
  /** Clients that use this name refuse the new certificate. */
  readonly isFelt?: true;
}

/**
 * Why a certificate must be signed again; nothing when it is as it should be. The reasons say what the host has, and
 * never what the authority is: they must read the same before and after the authority is made in the same run.
 */
export function reasonsToSign(found: X509Certificate, wanted: Judgement): readonly CertificateFault[] {
  return [
    ...(saysAuthority(found) ? [broken('is the certificate of an authority')] : []),
    ...signatureReasons(found, wanted),
    ...expiryReasons(found, wanted),
    ...subjectReasons(found, wanted.profile),
    ...nameReasons(found, wanted.profile),
    ...usageReasons(found, wanted.profile),
  ];
}

/**
 * A profile with all that a kept certificate says beside it: its subject, further names and usages, its kind of key.
 * Never that it is an authority, and never its life.
 */
export function widenProfile(profile: CertificateProfile, found: X509Certificate): CertificateProfile {
  const names = namesOf(found);
  const all = usagesOf(found);
  const [usages, furtherUsages] = [all.filter(isUsage), all.filter((usage) => !isUsage(usage))];
  const keyType = keyTypeOf(found.publicKey);
  const keyUsages = keyUsagesIn(found);
  return {
    ...profile,
    ...subjectOf(found),
    subject: found.subject.split('\n'),
    dnsNames: union(profile.dnsNames, names.dnsNames),
    ipAddresses: union(profile.ipAddresses, names.ipAddresses),
    ...(names.otherNames.length === 0 ? {} : { otherNames: names.otherNames }),
    // Without the extension a certificate is good for everything (RFC 5280, 4.2.1.12), not rolled back.
    usages: all.length === 0 ? [] : union(profile.usages, usages),
    ...(furtherUsages.length === 0 ? {} : { furtherUsages }),
    ...(keyUsages.length === 0 ? {} : { keyUsages }),
    keyType: isKeyType(keyType) ? keyType : profile.keyType,
  };
}

function union<Item>(wanted: readonly Item[], found: readonly Item[]): readonly Item[] {
  return [...new Set([...wanted, ...found])];
}

/** Why the key on the host cannot be kept. */
export function reasonsForNewKey(found: X509Certificate, profile: CertificateProfile): readonly CertificateFault[] {
  const type = keyTypeOf(found.publicKey);
  return type === profile.keyType ? [] : [wrong(`key is ${type}, not ${profile.keyType}`)];
}

function broken(text: string): CertificateFault {
  return { text, breaks: true };
}

function wrong(text: string): CertificateFault {
  return { text, breaks: false };
}

/** Is it the certificate of this public key? @param publicKey SubjectPublicKeyInfo, DER as base64 */
export function isForKey(found: X509Certificate, publicKey: string): boolean {
  return publicKeyText(found.publicKey) === publicKey;
}

function signatureReasons(
  found: X509Certificate,
  { authority, alsoTrusted = [] }: Judgement,
): readonly CertificateFault[] {
  if (authority !== undefined && isSignedBy(found, authority)) return [];
  if (alsoTrusted.some((other) => isSignedBy(found, other)))
    return [wrong('signed by the other authority that hosts trust, and another one signs now')];
  return [broken("not signed by this cluster's authority")];
}

function expiryReasons(
  found: X509Certificate,
  { authority, now, renewBeforeDays }: Judgement,
): readonly CertificateFault[] {
  const end = notAfterOf(found);
  const day = end.toISOString().slice(0, 10);
  if (end <= now) return [broken(`expired on ${day}`)];
  if (end.getTime() - now.getTime() >= renewBeforeDays * DAY_MS) return [];
  // A leaf never outlives its authority: near the authority's own end a new one would live no longer.
  if (authority !== undefined && end >= notAfterOf(authority)) return [];
  return [wrong(`expires on ${day}, in less than ${counted(renewBeforeDays, 'day')}`)];
}

function subjectReasons(found: X509Certificate, profile: CertificateProfile): readonly CertificateFault[] {
  const subject = subjectOf(found);
  const has = describeSubject(subject);
  const wants = describeSubject(profile);
  return has === wants ? [] : [wrong(`subject is ${has}, not ${wants}`)];
}

function nameReasons(found: X509Certificate, profile: CertificateProfile): readonly CertificateFault[] {
  const names = namesOf(found);
  const has = describeNames(names);
  const wants = describeNames(profile);
  return [
    ...wants
      .filter((name) => !has.includes(name))
      .map((name) => ({ ...broken(`SAN ${name} missing`), diff: `+ SAN ${name}` })),
    ...has
      .filter((name) => !wants.includes(name))
      .map((name) => ({ ...wrong(`SAN ${name} no longer wanted`), diff: `- SAN ${name}`, isFelt: true as const })),
  ];
}

function usageReasons(found: X509Certificate, profile: CertificateProfile): readonly CertificateFault[] {
  const has = usagesOf(found);
  const wants = [...profile.usages, ...(profile.furtherUsages ?? [])];
  return has.join() === wants.toSorted().join()
    ? []
    : [broken(`usages are ${has.join(', ') || 'none'}, not ${wants.join(', ')}`)];
}

/** A subject as `CN=…, O=…`. */
export function describeSubject(subject: {
  readonly commonName: string;
  readonly organizations: readonly string[];
}): string {
  return [`CN=${subject.commonName}`, ...subject.organizations.map((name) => `O=${name}`)].join(', ');
}
