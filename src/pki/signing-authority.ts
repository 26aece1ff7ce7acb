import type { Secret } from '../model/secret.js';

/** An authority that can sign. It exists only in memory. */
export interface SigningAuthority {
  readonly certificatePem: string;
  /** PKCS#8 PEM. */
  readonly keyPem: Secret;
}
