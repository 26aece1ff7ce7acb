import { X509Certificate } from 'node:crypto';
import type { AuthorityProfile, CertificateProfile } from '../model/certificate.js';
import type { AuthorityMove } from '../model/authority-move.js';
import type { Probe } from '../model/remote.js';
import { Secret } from '../model/secret.js';
import { requestedKeyPath } from '../shell/request-certificate.js';
import {
  certificatePath,
  type FoundAuthority,
  keyPath,
  placeCertificate,
  readAuthorityFiles,
  writeAuthorityFiles,
} from './authority-files.js';
import { authorityExists, authorityKeyMissing, authorityMissing, storeChanged } from './store-errors.js';
import type { AuthorityView, CertificateInstall, PlannedCertificate, StoreRotation } from './authority.js';
import { certificateInstall } from './certificate-install.js';
import { decryptSecret, encryptSecret } from './encryption.js';
import { readAuthority, readAuthorityCertificate, refuseShortLife } from './import-authority.js';
import { bundleAfter } from './move-authority.js';
import type { PassphraseSource } from './passphrase.js';
import { endRotation, nextDirectory, readRotationFiles, writeNext } from './rotation-files.js';
import { describeSignature, type ExternalCa, keepRequest, type KeptRequest, requireSignatures } from './external-ca.js';
import type { SigningAuthority } from './signing-authority.js';
import { readIfThere, replace, writeNew } from './store-files.js';

/** What a store is opened with. */
export interface StoreOptions {
  /** Absolute directory on the control machine; made when something is first written to it. */
  readonly directory: string;
  readonly passphrase: PassphraseSource;
  readonly now: () => Date;
  /** Random bytes, for serial numbers, names of staged files and the generated password. */
  readonly random: (count: number) => Uint8Array;
  /** What an external CA signs must live longer than this; 0 by default. */
  readonly renewBeforeDays?: number | undefined;
  /** scrypt's work factor, log2; tests take a small one. */
  readonly scryptLogN?: number | undefined;
}

/** Who asks etcd in a run: by its name it may do what etcdctl on a member may. */
const RUN_CLIENT: CertificateProfile = {
  commonName: 'etcdctl',
  organizations: [],
  dnsNames: [],
  ipAddresses: [],
  usages: ['client'],
  days: 1,
  keyType: 'ecdsa-p256',
  keepPublicKey: null,
};

/**
 * Reads what an authority's files say without a passphrase.
 * @throws ProvisionError `store-broken`
 */
export async function openStoredAuthority(options: StoreOptions): Promise<StoredAuthority> {
  const found = await readAuthorityFiles(options.directory);
  const rotation = await readRotationFiles(options.directory, found.bundle ?? '');
  return new StoredAuthority(options, found, rotation);
}

/** The authority in its files. It remembers what was unlocked or made, so that one passphrase serves the whole run. */
export class StoredAuthority implements AuthorityView {
  readonly #options: StoreOptions;
  /** The text of ca.crt. */
  #bundle: string | undefined;
  #hasKey: boolean;
  #isDraft: boolean;
  #rotation: StoreRotation | undefined;
  #unlocked: Promise<SigningAuthority> | undefined;
  #runCredential: Secret | undefined;

  constructor(options: StoreOptions, found: FoundAuthority, rotation: StoreRotation | undefined) {
    this.#options = options;
    this.#bundle = found.bundle;
    this.#hasKey = found.hasKey;
    this.#isDraft = found.isDraft;
    this.#rotation = rotation;
  }

  certificate(): string | undefined {
    return this.#bundle?.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/)?.[0];
  }

  trustBundle(): string | undefined {
    return this.#bundle;
  }

  rotation(): StoreRotation | undefined {
    return this.#rotation;
  }

  isExternal(): boolean {
    return this.#bundle !== undefined && !this.#hasKey;
  }

  existingBundle(): string {
    if (this.#bundle === undefined) throw authorityMissing(this.#options.directory);
    return this.#bundle;
  }

  async unlock(planned: readonly PlannedCertificate[], probe: (host: string) => Probe): Promise<void> {
    if (this.#bundle === undefined) await this.#options.passphrase.chosen(keyPath(this.#options.directory));
    else if (this.isExternal()) await requireSignatures(planned, this.#external(), probe);
    else if (planned.length > 0) await this.#makeRunCredential(await this.#open());
    else await this.#open();
  }

  runCredential(): Secret | undefined {
    return this.#runCredential;
  }

  async #makeRunCredential(authority: SigningAuthority): Promise<void> {
    const { issueCertificate } = await import('./issue.js');
    const { certificatePem, keyPem } = await issueCertificate(authority, RUN_CLIENT, this.#options);
    this.#runCredential = new Secret(certificatePem + (keyPem?.reveal() ?? ''));
  }

  describeSignature(planned: PlannedCertificate): Promise<string> {
    return describeSignature(planned, this.#external());
  }

  async keepRequest(planned: PlannedCertificate, pem: string): Promise<KeptRequest> {
    const suffix = this.#suffix();
    return keepRequest(planned, pem, this.#external(), suffix);
  }

  async create(profile: AuthorityProfile): Promise<void> {
    const { makeAuthority } = await import('./issue.js');
    await this.adopt(await makeAuthority(profile, this.#options));
  }

  /** A step of a rotation; nothing where it was made already. @param profile of the new authority */
  async move(move: AuthorityMove, profile: AuthorityProfile): Promise<void> {
    const { directory } = this.#options;
    // Another run may have come in between: what is written must fit what is there.
    const { bundle = '' } = await readAuthorityFiles(directory);
    if (bundle !== this.existingBundle()) throw storeChanged(directory);
    if (move === 'trust-both' && this.#rotation === undefined) await this.#makeNext(profile);
    const rotation = this.#rotation;
    if (rotation === undefined) {
      if (move === 'finish') return;
      throw storeChanged(directory);
    }
    const place = { directory, suffix: this.#suffix() };
    if (move === 'finish') {
      if (rotation.trusted === 'both') throw storeChanged(directory);
      await endRotation(place, rotation);
    } else {
      const after = bundleAfter(move, rotation);
      if (after === undefined) throw storeChanged(directory);
      if (after !== bundle) await replace(certificatePath(directory), after, 0o644, place.suffix);
      this.#bundle = after;
    }
    this.#rotation = await readRotationFiles(directory, this.existingBundle());
    // Another one may sign from here on.
    if (this.#rotation?.signing !== rotation.signing) this.#unlocked = undefined;
  }

  /** The key of the new authority gets the passphrase that opens the old one's. */
  async #makeNext(profile: AuthorityProfile): Promise<void> {
    const { directory, passphrase, scryptLogN } = this.#options;
    const old = this.certificate();
    const encrypted = await readIfThere(keyPath(directory));
    if (old === undefined || encrypted === undefined) throw authorityKeyMissing(directory);
    const secret = await passphrase.opening(keyPath(directory), async (typed) => {
      await decryptSecret(encrypted, typed, keyPath(directory));
      return typed;
    });
    const { makeAuthority } = await import('./issue.js');
    const made = await makeAuthority(profile, this.#options);
    const place = { directory, suffix: this.#suffix() };
    await writeNext(place, { old, new: made.certificatePem }, await encryptSecret(made.keyPem, secret, scryptLogN));
    this.#rotation = await readRotationFiles(directory, this.existingBundle());
  }

  /** The key of the signing certificate. */
  #keyPath(): string {
    const { directory } = this.#options;
    return keyPath(this.#rotation?.signing === 'new' ? nextDirectory(directory) : directory);
  }

  /**
   * Writes an authority. Where its certificate is there already, only the key.
   */
  async adopt(authority: SigningAuthority): Promise<void> {
    const { directory, passphrase, scryptLogN } = this.#options;
    const lacksOnlyKey = this.isExternal() && this.#is(authority.certificatePem);
    if (this.#bundle !== undefined && !lacksOnlyKey) throw authorityExists(directory);
    const secret = await passphrase.chosen(keyPath(directory));
    const encrypted = await encryptSecret(authority.keyPem, secret, scryptLogN);
    const suffix = this.#suffix();
    const isNew = lacksOnlyKey
      ? await writeNew(keyPath(directory), encrypted, 0o600, suffix)
      : await writeAuthorityFiles(directory, authority.certificatePem, encrypted, suffix);
    if (!isNew) throw authorityExists(directory);
    this.#bundle ??= authority.certificatePem;
    this.#hasKey = true;
    this.#unlocked = Promise.resolve(authority);
  }

  /** Writes the certificate of an external CA; does nothing when it is there already. */
  async adoptCertificate(given: string): Promise<void> {
    const { directory, now } = this.#options;
    const pem = readAuthorityCertificate(given, now());
    if (this.#is(pem)) return;
    refuseShortLife(pem, now());
    if (this.#bundle !== undefined) throw authorityExists(directory);
    const suffix = this.#suffix();
    if (!(await writeNew(certificatePath(directory), pem, 0o644, suffix))) throw authorityExists(directory);
    this.#bundle = pem;
  }

  async issue(planned: PlannedCertificate, copy: string): Promise<CertificateInstall> {
    const { action } = planned;
    if (this.isExternal()) {
      const [signature] = await requireSignatures([planned], this.#external());
      if (signature === undefined) throw new Error('one signature was required');
      const waiting = { path: requestedKeyPath(action.certificate) };
      const key = action.profile.keepPublicKey === null ? waiting : 'kept';
      return certificateInstall(action, { pem: signature.certificatePem, key }, copy);
    }
    const authority = await this.#open();
    const { issueCertificate } = await import('./issue.js');
    const { certificatePem, keyPem } = await issueCertificate(authority, action.profile, this.#options);
    const signed = {
      pem: certificatePem + (keyPem?.reveal() ?? ''),
      key: keyPem === undefined ? 'kept' : 'new',
    } as const;
    return certificateInstall(action, signed, copy);
  }

  #open(): Promise<SigningAuthority> {
    return (this.#unlocked ??= this.#decrypt());
  }

  async #decrypt(): Promise<SigningAuthority> {
    const { directory, passphrase, now } = this.#options;
    const certificatePem = this.certificate();
    if (certificatePem === undefined) throw authorityMissing(directory);
    const path = this.#keyPath();
    const encrypted = await readIfThere(path);
    if (encrypted === undefined) throw authorityKeyMissing(directory);
    const keyPem = await passphrase.opening(path, (typed) => decryptSecret(encrypted, typed, path));
    const authority = readAuthority({ certificatePem, keyPem }, now());
    if (this.#isDraft && !(await placeCertificate(directory, certificatePem, this.#suffix())))
      throw authorityExists(directory);
    this.#isDraft = false;
    return authority;
  }

  /** For the names of staged files. */
  #suffix(): string {
    return Buffer.from(this.#options.random(6)).toString('hex');
  }

  /** Is this the signing certificate? */
  #is(pem: string): boolean {
    const own = this.certificate();
    return own !== undefined && new X509Certificate(own).raw.equals(new X509Certificate(pem).raw);
  }

  #external(): ExternalCa {
    const { directory, now, renewBeforeDays = 0 } = this.#options;
    const authority = new X509Certificate(this.existingBundle());
    return { directory, authority, now: now(), renewBeforeDays };
  }
}
