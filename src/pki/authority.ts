import type { AuthorityProfile } from '../model/certificate.js';
import type { IssueCertificate, KeepSecret } from '../model/change.js';
import type { Command } from '../model/remote.js';
import type { Secret } from '../model/secret.js';

/** What planning may know of the authority: its public part. No passphrase is asked for. */
export interface AuthorityView {
  /** The signing certificate, PEM; `undefined` while there is none: it will be made by the run that is planned. */
  certificate(): string | undefined;
  /** All that hosts should trust, PEM. Today the signing certificate alone; during a rotation the old one too. */
  trustBundle(): string | undefined;
  /** Is its key with somebody else, who signs what is asked for? Absent: no. */
  isElsewhere?(): boolean;
}

/** How a signed certificate lands on its host, and how it is taken back. */
export interface CertificateInstall {
  /** Certificate and new key, if any, travel on its stdin. */
  readonly command: Command;
  /** Puts back what the command replaced. */
  readonly undo: Command;
}

/** What acts on the control machine. Only `apply` holds one. */
export interface Signer {
  /**
   * Asks for the passphrase and tries it, so that a wrong one fails before any host is touched. Call it when a plan
   * holds a `create-authority` or an `issue-certificate`.
   * @throws ProvisionError `wrong-passphrase`, `passphrase-missing`, `passphrase-too-short`
   */
  unlock(): Promise<void>;
  /** Makes the authority in the store. @throws ProvisionError `authority-exists` */
  createAuthority(profile: AuthorityProfile): Promise<void>;
  /** Writes a generated secret into the store; does nothing when it is kept already. @throws ProvisionError `store-changed` */
  keepSecret(name: KeepSecret['name']): Promise<void>;
  /** Signs a leaf. @throws ProvisionError `authority-missing`, `authority-expired`, `certificate-rejected` */
  issue(action: IssueCertificate): Promise<CertificateInstall>;
  /** What hosts should trust, PEM. @throws ProvisionError `authority-missing` */
  trustBundle(): string;
}

/** A secret that is generated once: in memory while planning, in the store when `apply` keeps it. */
export interface GeneratedSecret {
  /** The kept one, else the one generated for this run. */
  value(): Secret;
  isKept(): boolean;
}

/** The PKI store of one cluster: a directory on the control machine. */
export interface PkiStore {
  /** Absolute. */
  readonly directory: string;
  readonly authority: AuthorityView;
  readonly signer: Signer;
  readonly keepalivedAuthPass: GeneratedSecret;
}
