import type { AuthorityProfile, CertificateProfile } from '../model/certificate.js';
import type { Secret } from '../model/secret.js';

/** A signed leaf, and its key when a new one was made. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** PKCS#8 PEM; absent when the certificate was renewed for the key that the host has. */
  readonly keyPem: Secret | undefined;
}

/** What planning may know of the authority: its public part. No passphrase is asked for. */
export interface AuthorityView {
  /** The signing certificate, PEM; `undefined` while there is none: it will be made by the run that is planned. */
  certificate(): string | undefined;
  /** All that hosts should trust, PEM. Today the signing certificate alone; during a rotation the old one too. */
  trustBundle(): string | undefined;
}

/** The certificate authority of one cluster, on the control machine. Only `apply` holds one. */
export interface Authority extends AuthorityView {
  /**
   * Asks for the passphrase and tries it, once, so that a wrong one fails before any host is touched. Call it when a
   * plan holds a `create-authority` or an `issue-certificate`.
   * @throws ProvisionError `wrong-passphrase`, `passphrase-missing`
   */
  unlock(): Promise<void>;
  /** Makes the authority. @throws ProvisionError `authority-exists` */
  create(profile: AuthorityProfile): Promise<void>;
  /** Signs a leaf. @throws ProvisionError `authority-missing`, `authority-expired`, `certificate-rejected` */
  issue(profile: CertificateProfile): Promise<IssuedCertificate>;
}

/** A secret that is generated once: in memory while planning, in the store when `apply` keeps it. */
export interface GeneratedSecret {
  /** The kept one, else the one generated for this run. */
  value(): Secret;
  isKept(): boolean;
  /** Writes it, mode 0600. Does nothing when it is kept already. */
  keep(): Promise<void>;
}

/** The PKI store of one cluster: a directory on the control machine. */
export interface PkiStore {
  /** Absolute. */
  readonly directory: string;
  readonly authority: Authority;
  readonly keepalivedAuthPass: GeneratedSecret;
}

/** Where the passphrase of an authority's key comes from. It is asked for at most once a run. */
export interface PassphraseSource {
  /** For a key that exists. @param subject what it opens, for the question and the error */
  existing(subject: string): Promise<Secret>;
  /** For a key that is being made: a prompt asks twice. */
  chosen(subject: string): Promise<Secret>;
}
