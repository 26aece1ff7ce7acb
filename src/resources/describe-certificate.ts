import type { X509Certificate } from 'node:crypto';
import type { CertificateProfile } from '../model/certificate.js';
import { counted } from '../model/counted.js';
import { describeNames } from '../pki/alternative-names.js';
import type { WantedCertificate } from '../pki/certificate-list.js';
import { namesOf, notAfterOf, readCertificates, usagesOf } from '../pki/inspect.js';
import { describeAttributes, readSubject, subjectAttributes } from '../pki/subject.js';
import { pathsOf, type CertificateRules, type Verdict } from './judge-certificate.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a certificate says: whole subject, usages and all names, as lines. */
export function describeProfile(profile: CertificateProfile, life: string): readonly string[] {
  const usages = [...profile.usages, ...(profile.furtherUsages ?? [])];
  return lines(describeAttributes(subjectAttributes(profile)), usages, life, describeNames(profile));
}

/** What the host has now, and what will be signed in its place. */
export function describeSigning(
  wanted: WantedCertificate,
  verdict: Verdict,
  rules: CertificateRules,
): readonly string[] {
  const { profile, ownership, destination } = wanted;
  const { keyPath } = pathsOf(destination);
  return [
    ...(verdict.leaf === undefined ? [] : describeFound(verdict.leaf)).map((line) => `- ${line}`),
    ...describeProfile(profile, lifeOf(profile, rules)).map((line) => `+ ${line}`),
    verdict.keep === undefined
      ? `+ new ${profile.keyType} key ${keyPath}, ${ownership.owner}:${ownership.group} ${ownership.mode}`
      : `  for the key that the host has, ${keyPath}`,
  ];
}

function describeFound(leaf: X509Certificate): readonly string[] {
  const subject = describeAttributes(readSubject(leaf.subject));
  return lines(subject, usagesOf(leaf), `until ${dayOf(notAfterOf(leaf))}`, describeNames(namesOf(leaf)));
}

function lines(subject: string, usages: readonly string[], life: string, names: readonly string[]): readonly string[] {
  return [
    `${subject}, ${usages.join(' and ') || 'every use'}, ${life}`,
    ...(names.length === 0 ? [] : [`SANs ${names.join(', ')}`]),
  ];
}

/** A leaf never outlives its authority; where that shortens its life, it is said. */
function lifeOf({ days }: CertificateProfile, { authority, now }: CertificateRules): string {
  const [signer] = readCertificates(authority.certificate() ?? '');
  if (signer === undefined || notAfterOf(signer).getTime() >= now.getTime() + days * DAY_MS)
    return counted(days, 'day');
  const left = Math.floor((notAfterOf(signer).getTime() - now.getTime()) / DAY_MS);
  return `${left} of ${counted(days, 'day')}: its authority ends on ${dayOf(notAfterOf(signer))}`;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
