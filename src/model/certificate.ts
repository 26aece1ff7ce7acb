/** How keys are made; see `etcd_key_type`. */
export type KeyType = 'ecdsa-p256' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096';

/** What the holder may be: the other side of a connection checks it as extended key usage. */
export type Usage = 'server' | 'client';

/** What the key of a leaf does (RFC 5280, 4.2.1.3), by the names that openssl and the x509 library share. */
export type KeyUsage = 'digitalSignature' | 'nonRepudiation' | 'keyEncipherment' | 'dataEncipherment' | 'keyAgreement';

/** A SAN of a kind that this program only keeps: a URI, an e-mail address, … */
export type OtherName = {
  /** For people: `URI spiffe://example/etcd`. */
  readonly text: string;
  /** The GeneralName, DER as base64: it is kept byte by byte. */
  readonly der: string;
};

/**
 * One leaf as it should be. A `type`, so that it passes as the JSON that a plan is made of. Pure: dates and serials are
 * chosen when it is signed.
 */
export type CertificateProfile = {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** A whole subject to keep, in its order, as `C=US`; absent: organizations and common name are all. */
  readonly subject?: readonly string[];
  /** SANs: DNS names and IP addresses are different kinds, and a name given as the wrong kind never verifies. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Kept SANs of other kinds; absent: none. */
  readonly otherNames?: readonly OtherName[];
  /** Empty only for a certificate of others that says nothing of them: it is good for every use. */
  readonly usages: readonly Usage[];
  /** Kept extended key usages that this program has no word for, as OIDs; absent: none. */
  readonly furtherUsages?: readonly string[];
  /** Kept key usages; absent: those of the key's type. */
  readonly keyUsages?: readonly KeyUsage[];
  /** Life in days; less where the authority ends earlier. */
  readonly days: number;
  readonly keyType: KeyType;
  /**
   * Renew for the key that the host already has: its SubjectPublicKeyInfo, DER as base64. `null`: a new key is made in
   * memory and lands only on the host.
   */
  readonly keepPublicKey: string | null;
};

/** A certificate authority to be made: self-signed, on the control machine. */
export type AuthorityProfile = {
  readonly commonName: string;
  readonly days: number;
  readonly keyType: KeyType;
};

/** Where a leaf lands. `bundle`: certificate and key in one PEM, as HAProxy wants it. */
export type CertificateDestination =
  | { readonly layout: 'pair'; readonly certificatePath: string; readonly keyPath: string }
  | { readonly layout: 'bundle'; readonly path: string };

/** What a client verifies by, and what it shows where it has to show something: paths on its host. */
export interface QuestionFiles {
  readonly ca: string;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** What a client shows, and what it verifies by: paths on its host. */
export interface ClientFiles extends QuestionFiles {
  readonly certificate: string;
  readonly key: string;
}
