import type { AuthorityProfile } from '../model/certificate.js';
import type { IssueCertificate, KeepSecret } from '../model/action.js';
import type { AuthorityMove } from '../model/authority-move.js';
import type { Command, Probe } from '../model/remote.js';
import type { Secret } from '../model/secret.js';

/** A leaf that a plan wants signed, and the host that it is for. */
export interface PlannedCertificate {
  /** Inventory name. */
  readonly host: string;
  readonly action: IssueCertificate;
}

/** The authorities of a rotation that is in progress, as the store has them. */
export interface StoreRotation {
  /** Certificates, PEM. */
  readonly old: string;
  readonly new: string;
  /** What hosts should trust beside them, PEM each. */
  readonly others: readonly string[];
  /** Which one signs. */
  readonly signing: 'old' | 'new';
  /** Which of them hosts should trust. */
  readonly trusted: 'old' | 'both' | 'new';
}

/** What planning may know of the authority: its public part. No passphrase is asked for. */
export interface AuthorityView {
  /** The signing certificate, PEM; `undefined` while there is none: it will be made by the run that is planned. */
  certificate(): string | undefined;
  /** All that hosts should trust, PEM: the signing certificate; during a rotation the other one too. */
  trustBundle(): string | undefined;
  /** What {@link trustBundle} is, for people; absent: this cluster's authority. */
  readonly trustedInWords?: string;
  /** Is its key with an external CA, who signs what is asked for? Absent: no. */
  isExternal?(): boolean;
  /** A rotation that is in progress; nothing of most. */
  rotation?(): StoreRotation | undefined;
  /** Where {@link isExternal}: where a certificate is awaited, and whether it is there and fits, as one line. */
  describeSignature?(planned: PlannedCertificate): Promise<string>;
}

/** How a signed certificate lands on its host, and how it is rolled back. */
export interface CertificateInstall {
  /** Certificate and new key, if any, travel on its stdin. */
  readonly command: Command;
  /**
   * Puts back what the command replaced, from just the copies that it made.
   * @param when `kept`: the command succeeded. `if-kept`: it failed, perhaps before it replaced anything
   */
  readonly undo: (when: 'kept' | 'if-kept') => Command;
}

/** What acts on the control machine. Only `apply` holds one. */
export interface Signer {
  /**
   * Asks for the passphrase and tries it, so that a wrong one fails before any host is touched; or, where certificates
   * are signed by an external CA, checks that each is there and right. Call it when a plan holds a `create-authority` or an
   * `issue-certificate`.
   * @param planned every leaf that the plan wants signed
   * @param probe asks hosts whether the keys of certificates that were requested still wait there
   * @throws ProvisionError `wrong-passphrase`, `passphrase-missing`, `passphrase-too-short`, `signatures-missing`
   */
  unlock(planned: readonly PlannedCertificate[], probe: (host: string) => Probe): Promise<void>;
  /** Makes the authority in the store. @throws ProvisionError `authority-exists` */
  createAuthority(profile: AuthorityProfile): Promise<void>;
  /**
   * A step of a rotation in the store; nothing where it was made already.
   * @param profile of the new authority
   * @throws ProvisionError `store-changed` where the store is not as the step needs it
   */
  moveAuthority(move: AuthorityMove, profile: AuthorityProfile): Promise<void>;
  /** Writes a generated secret into the store; does nothing when it is kept already. @throws ProvisionError `store-changed` */
  keepSecret(name: KeepSecret['name']): Promise<void>;
  /**
   * Signs a leaf, or takes it from where it was signed.
   * @param copy name of the copies of what it replaces on the host
   * @throws ProvisionError `authority-missing`, `authority-unusable`, `certificate-rejected`, `signatures-missing`
   */
  issue(planned: PlannedCertificate, copy: string): Promise<CertificateInstall>;
  /**
   * A client certificate with its key, PEM, for the questions of this run alone: what gates ask with must not depend on
   * what the run replaces. Made in memory by {@link unlock} where certificates are signed here; it lives a day.
   */
  runCredential?(): Secret | undefined;
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
