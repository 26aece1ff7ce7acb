import { type KeyObject, X509Certificate } from 'node:crypto';
// Before toLegacyObject is called: it loads a part of node:tls which that needs as a whole, and node:tls is broken for the rest
// of the process then (Node 20.20: "tls.createSecureContext is not a function", in fetch too).
import 'node:tls';
import type { KeyType, Usage } from '../model/certificate.js';
import { readNames, type AlternativeNames } from './alternative-names.js';
import { namesValue } from './extensions.js';

// Reading is Node's own work, not the x509 library's: it starts two hundred times faster, and a plan that finds
// nothing to do only reads.

/** RFC 5280, 4.2.1.12: id-kp-serverAuth and id-kp-clientAuth. */
const USAGE_OIDS: Readonly<Record<Usage, string>> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/** The certificates of a PEM text, in order; `undefined` in place of one that cannot be read. */
export function readCertificates(pem: string): readonly (X509Certificate | undefined)[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      return undefined;
    }
  });
}

/** Common name and organizations, unescaped. */
export function subjectOf(certificate: X509Certificate): {
  readonly commonName: string;
  readonly organizations: readonly string[];
} {
  const subject = certificate.toLegacyObject().subject as { CN?: string | string[]; O?: string | string[] };
  return { commonName: [subject.CN ?? ''].flat().join(' '), organizations: [subject.O ?? []].flat() };
}

/** SANs, each kind sorted. */
export function namesOf(certificate: X509Certificate): AlternativeNames {
  const value = namesValue(certificate);
  return value === undefined ? { dnsNames: [], ipAddresses: [], otherNames: [] } : readNames(value);
}

/** Extended key usages that this program knows, in the order of the model; others as their OIDs. */
export function usagesOf(certificate: X509Certificate): readonly string[] {
  // Typed as always there, but absent without the extension.
  const oids = (certificate.keyUsage as string[] | undefined) ?? [];
  return oids.map((oid) => Object.entries(USAGE_OIDS).find(([, known]) => known === oid)?.[0] ?? oid).sort();
}

/** Is this extended key usage one that a profile can ask for? */
export function isUsage(usage: string): usage is Usage {
  return usage in USAGE_OIDS;
}

/** A key type as the variables name it, or as openssl names what they do not know. */
export function keyTypeOf(key: KeyObject): KeyType | (string & {}) {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return `rsa-${modulusLength ?? 0}`;
  if (key.asymmetricKeyType === 'ec') return namedCurve === 'prime256v1' ? 'ecdsa-p256' : `ecdsa-${namedCurve ?? ''}`;
  return key.asymmetricKeyType ?? 'unknown';
}

/** Is this a kind of key that this program makes certificates for? */
export function isKeyType(type: string): type is KeyType {
  return ['ecdsa-p256', 'rsa-2048', 'rsa-3072', 'rsa-4096'].includes(type);
}

/** SubjectPublicKeyInfo, DER as base64: equal texts are equal keys. */
export function publicKeyText(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'der' }).toString('base64');
}

/** Is the certificate really signed by this authority: its name, and its signature. */
export function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/** The end of its life. */
export function notAfterOf(certificate: X509Certificate): Date {
  return new Date(certificate.validTo);
}
