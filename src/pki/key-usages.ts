import type { CertificateProfile } from '../model/certificate.js';

/** What the key of a leaf does (RFC 5280, 4.2.1.3), by the names that openssl and the x509 library share. */
export function keyUsagesOf({
  keyType,
}: Pick<CertificateProfile, 'keyType'>): readonly ('digitalSignature' | 'keyEncipherment')[] {
  // Only an RSA key can encipher another key.
  return keyType === 'ecdsa-p256' ? ['digitalSignature'] : ['digitalSignature', 'keyEncipherment'];
}
