import type { X509Certificate } from 'node:crypto';
import type { KeyUsage } from '../model/certificate.js';
import { readDer, type DerElement } from './der.js';

/** Extensions by their OIDs, as DER without tag and length: RFC 5280, 4.2.1.3, 4.2.1.6 and 4.2.1.9. */
const OIDS = { keyUsage: '551d0f', subjectAltName: '551d11', basicConstraints: '551d13' } as const;

/** DER's tag of a BOOLEAN. */
const BOOLEAN = 0x01;

/** RFC 5280, 4.2.1.3, in the order of the bits; the rest signs certificates, or is only for agreements on keys. */
const KEY_USAGES: readonly KeyUsage[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
];

/** The value of the extension subjectAltName, DER; `undefined` without it. @throws Error for a certificate that is none */
export function namesValue(certificate: X509Certificate): Buffer | undefined {
  return extensionsOf(certificate).get(OIDS.subjectAltName);
}

/** What the key of a leaf does; nothing of what only authorities do. Empty without the extension. */
export function keyUsagesIn(certificate: X509Certificate): readonly KeyUsage[] {
  const value = extensionsOf(certificate).get(OIDS.keyUsage);
  const [bits] = value === undefined ? [] : readDer(value);
  // A BIT STRING begins with the number of unused bits.
  const octet = bits?.content[1] ?? 0;
  return KEY_USAGES.filter((_, index) => (octet & (0x80 >> index)) !== 0);
}

/**
 * Whether a certificate says CA:TRUE. Node's own `ca` is false where the key usage does not let it sign certificates; but
 * not all that verify look at the key usage.
 */
export function saysAuthority(certificate: X509Certificate): boolean {
  const value = extensionsOf(certificate).get(OIDS.basicConstraints);
  // BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }
  const [isAuthority] = value === undefined ? [] : insideOf(readDer(value)[0]);
  return isAuthority?.tag === BOOLEAN && isAuthority.content[0] !== 0;
}

/** The values of the extensions, by OID in hex. Certificate ::= SEQUENCE { tbs, … }, extensions are its `[3]`. */
function extensionsOf(certificate: X509Certificate): ReadonlyMap<string, Buffer> {
  const [whole] = readDer(certificate.raw);
  const [tbs] = insideOf(whole);
  const tagged = insideOf(tbs).find(({ tag }) => tag === 0xa3);
  const [list] = insideOf(tagged);
  return new Map(
    insideOf(list).map((extension) => {
      const parts = insideOf(extension);
      return [parts[0]?.content.toString('hex') ?? '', parts.at(-1)?.content ?? Buffer.alloc(0)];
    }),
  );
}

function insideOf(element: DerElement | undefined): readonly DerElement[] {
  return element === undefined ? [] : readDer(element.content);
}
