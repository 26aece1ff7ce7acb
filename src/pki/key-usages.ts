import type { CertificateProfile, KeyUsage } from '../model/certificate.js';

/** What the key of a leaf does: what its kind can do, and what a kept certificate had beside it. */
export function keyUsagesOf({
  keyType,
  keyUsages = [],
}: Pick<CertificateProfile, 'keyType' | 'keyUsages'>): readonly KeyUsage[] {
  // Only an RSA key can encipher another key.
  const usual: readonly KeyUsage[] =
    keyType === 'ecdsa-p256' ? ['digitalSignature'] : ['digitalSignature', 'keyEncipherment'];
  return [...new Set([...usual, ...keyUsages])];
}
