import type { AuthorityProfile } from '../model/certificate.js';
import { changed, type Outcome, type Resource, UNCHANGED } from '../model/change.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { AuthorityView } from '../pki/authority.js';
import { authorityFaults } from '../pki/authority-faults.js';
import { readCertificates } from '../pki/inspect.js';

/**
 * The certificate authority on the control machine. It belongs to no host: give it to one only, the first member, so
 * that it is planned once.
 * @param store directory, as the plan should name it
 */
export function authorityResource(
  profile: AuthorityProfile,
  authority: AuthorityView,
  { store, now }: { readonly store: string; readonly now: Date },
): Resource {
  return {
    address: 'authority:etcd',
    paths: [],
    plan: () => Promise.resolve().then(() => decideAuthority(profile, authority, store, now)),
  };
}

function decideAuthority(profile: AuthorityProfile, authority: AuthorityView, store: string, now: Date): Outcome {
  const pem = authority.certificate();
  if (pem === undefined) return created(profile, store);
  const faults = faultsOf(pem, now);
  if (faults.length === 0) return UNCHANGED;
  throw new ProvisionError({
    code: 'authority-unusable',
    message: `the certificate authority in ${store} cannot sign anything: ${faults.join('; ')}`,
    hint: 'check the date of this machine, then: provision ca show; another authority is imported with `provision ca import`, into a new directory (etcd_pki_store)',
  });
}

function faultsOf(pem: string, now: Date): readonly string[] {
  const [found] = readCertificates(pem);
  // What cannot be read is never "none": a new authority in its place would cut off all that trust the old one.
  return found === undefined ? ['its certificate cannot be read'] : authorityFaults(found, now);
}

function created(profile: AuthorityProfile, store: string): Outcome {
  return changed({
    summary: `create the certificate authority in ${store}, on this machine`,
    diff: [
      `+ CN=${profile.commonName}, ${profile.keyType}, ${counted(profile.days, 'day')}`,
      '+ its key is encrypted with a passphrase, and never leaves this machine',
    ],
    actions: [{ kind: 'create-authority', profile }],
    disruptive: false,
  });
}
