import type { AuthorityProfile } from '../model/certificate.js';
import { changed, type Outcome, type Resource, UNCHANGED } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { AuthorityView } from '../pki/authority.js';
import { notAfterOf, readCertificates } from '../pki/inspect.js';

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
  const found = pem === undefined ? undefined : readCertificates(pem)[0];
  if (found === undefined) return created(profile, store);
  const end = notAfterOf(found);
  if (end > now) return UNCHANGED;
  throw new ProvisionError({
    code: 'authority-expired',
    message: `the certificate authority in ${store} expired on ${end.toISOString().slice(0, 10)}; it can sign nothing`,
    hint: 'move its files away, and run `provision ca import` or let the next apply make a new authority',
  });
}

function created(profile: AuthorityProfile, store: string): Outcome {
  return changed({
    summary: `create the certificate authority in ${store}, on this machine`,
    diff: [
      `+ CN=${profile.commonName}, ${profile.keyType}, ${profile.days} days`,
      '+ its key is encrypted with a passphrase, and never leaves this machine',
    ],
    actions: [{ kind: 'create-authority', profile }],
    disruptive: false,
  });
}
