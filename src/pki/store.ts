import { join } from 'node:path';
import type { Secret } from '../model/secret.js';
import type { PkiStore, PlannedCertificate } from './authority.js';
import { openGeneratedSecret } from './generated-secret.js';
import { readAuthority, refuseShortLife } from './import-authority.js';
import type { KeptRequest } from './external-ca.js';
import { openStoredAuthority, type StoreOptions } from './stored-authority.js';

/** A store, as the verbs that keep one see it. */
export interface WritableStore extends PkiStore {
  /**
   * Brings in an authority that another program made; or, where its certificate is in the store already, its key.
   * @throws InputError when it is not one, or the key is not its own; ProvisionError `authority-exists`
   */
  importAuthority(given: { readonly certificatePem: string; readonly keyPem: Secret }): Promise<void>;
  /**
   * Brings in the certificate of an external CA: certificates are then signed there, for
   * requests that are made here. Does nothing when it is in the store already.
   * @throws InputError when it is none; ProvisionError `authority-exists`
   */
  importCertificate(pem: string): Promise<void>;
  /**
   * Writes a request that a host has made to `requests/HOST/CERTIFICATE.csr`.
   * @param pem PKCS#10
   * @throws ProvisionError `request-rejected` when it does not ask for what is planned
   */
  keepRequest(planned: PlannedCertificate, pem: string): Promise<KeptRequest>;
}

/**
 * Opens the PKI store: `ca.crt` in plain (the signing certificate, then others that hosts should trust), `ca.key.age`
 * encrypted with a passphrase, `keepalived-auth-pass`; during a rotation the new authority in `next/`. Without `ca.key.age` certificates are signed by an external CA, for the
 * requests in `requests/`. Only public parts are read; nothing is written.
 * @throws ProvisionError `store-broken`
 */
export async function openStore(options: StoreOptions): Promise<WritableStore> {
  const authority = await openStoredAuthority(options);
  const authPass = await openGeneratedSecret(join(options.directory, 'keepalived-auth-pass'), options.random);
  return {
    directory: options.directory,
    authority,
    signer: {
      unlock: (planned, probe) => authority.unlock(planned, probe),
      createAuthority: (profile) => authority.create(profile),
      moveAuthority: (move, profile) => authority.move(move, profile),
      keepSecret: () => authPass.keep(),
      issue: (planned, copy) => authority.issue(planned, copy),
      runCredential: () => authority.runCredential(),
      trustBundle: () => authority.existingBundle(),
    },
    async importAuthority(given) {
      const read = readAuthority(given, options.now());
      refuseShortLife(read.certificatePem, options.now());
      await authority.adopt(read);
    },
    importCertificate: (pem) => authority.adoptCertificate(pem),
    keepRequest: (planned, pem) => authority.keepRequest(planned, pem),
    keepalivedAuthPass: authPass,
  };
}
