import type { X509Certificate } from 'node:crypto';
import { describeSubject } from './compare.js';
import { isSignedBy, keyTypeOf, notAfterOf, subjectOf, usagesOf } from './inspect.js';

/** Key types that can sign here: what TLS peers of etcd, HAProxy and kube-apiserver all accept. */
export const SIGNING_KEYS = /^(ecdsa-(p256|secp384r1|secp521r1)|rsa-(2048|3072|4096|8192))$/;

/** What {@link SIGNING_KEYS} allows, in words. */
export const SIGNING_KEYS_IN_WORDS = 'ECDSA on P-256, P-384 or P-521, or RSA from 2048 bits was expected';

/** RFC 5280, 4.2.1.10: id-ce-nameConstraints as DER. Node tells nothing of this extension. */
const NAME_CONSTRAINTS = Buffer.from('0603551d1e', 'hex');

/**
 * Why a certificate cannot be the authority of a cluster at this time: what it signs would be refused by etcd, HAProxy or
 * kube-apiserver. Held against an authority that is imported, that a plan relies on, and that signs.
 * @returns predicates of the certificate; empty when it can
 */
export function authorityFaults(certificate: X509Certificate, now: Date): readonly string[] {
  const name = describeSubject(subjectOf(certificate));
  return [...kindFaults(certificate), ...useFaults(certificate), ...timeFaults(certificate, now)].map(
    (fault) => `${name} ${fault}`,
  );
}

function kindFaults(certificate: X509Certificate): readonly string[] {
  const isRoot = certificate.subject === certificate.issuer;
  const type = keyTypeOf(certificate.publicKey);
  return [
    ...(certificate.ca ? [] : ['is not a CA: its basic constraints or its key usage do not say so']),
    ...(isRoot ? [] : ['is signed by another; a self-signed root was expected, as HAProxy trusts only roots']),
    ...(certificate.ca && isRoot && !isSignedBy(certificate, certificate)
      ? ['has a signature that is not its own']
      : []),
    ...(SIGNING_KEYS.test(type) ? [] : [`is for a key of type ${type}; ${SIGNING_KEYS_IN_WORDS}`]),
  ];
}

/**
 * Go and OpenSSL hold the usages and names that an authority allows against all that it signs. OpenSSL does not take
 * "any usage" for these two.
 */
function useFaults(certificate: X509Certificate): readonly string[] {
  const usages = usagesOf(certificate);
  const missing = usages.length === 0 ? [] : ['server', 'client'].filter((usage) => !usages.includes(usage));
  return [
    ...(missing.length === 0 ? [] : [`may not sign for ${missing.join(' and ')}: missing in its extended key usage`]),
    ...(certificate.ca && certificate.raw.includes(NAME_CONSTRAINTS)
      ? ['constrains the names that it signs; an authority without name constraints was expected']
      : []),
  ];
}

function timeFaults(certificate: X509Certificate, now: Date): readonly string[] {
  const [from, end] = [new Date(certificate.validFrom), notAfterOf(certificate)];
  return [
    ...(from > now ? [`is valid only from ${from.toISOString()}`] : []),
    ...(end > now ? [] : [`expired on ${end.toISOString().slice(0, 10)}`]),
  ];
}
