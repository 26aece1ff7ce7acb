import type { AuthorityView } from '../pki/authority.js';
import { subjectOf, readCertificates } from '../pki/inspect.js';
import type { AuthorityProfile } from '../model/certificate.js';

/** What a stage of a rotation makes of the store: who signs, and whom hosts trust. */
export interface StageAuthorities {
  readonly signing: 'old' | 'new';
  readonly trusted: 'old' | 'both' | 'new';
}

/**
 * The store as it will be after the first step of a stage: what the rest of the stage's plan is made with.
 * While there is no new authority yet, what both are is known only after it is made.
 */
export function stageView(authority: AuthorityView, { signing, trusted }: StageAuthorities): AuthorityView {
  return {
    trustedInWords: trusted === 'both' ? 'the old and the new authority' : `the ${trusted} authority alone`,
    certificate() {
      const rotation = authority.rotation?.();
      return rotation === undefined ? authority.certificate() : rotation[signing];
    },
    trustBundle() {
      const rotation = authority.rotation?.();
      if (rotation === undefined) return trusted === 'both' ? undefined : authority.trustBundle();
      const own = trusted === 'both' ? [rotation.old, rotation.new] : [rotation[trusted]];
      return [...own, ...rotation.others].join('');
    },
  };
}

/** The next authority has a name of its own, so that people tell the two apart: `etcd-ca`, `etcd-ca-2`, `etcd-ca-3`. */
export function nextAuthority(authority: AuthorityView, usual: AuthorityProfile): AuthorityProfile {
  const rotation = authority.rotation?.();
  const [old] = readCertificates(rotation?.old ?? authority.certificate() ?? '');
  if (old === undefined) return usual;
  const { commonName } = subjectOf(old);
  const [, base = commonName, number = '1'] = /^(.*)-(\d{1,9})$/.exec(commonName) ?? [];
  return { ...usual, commonName: `${base}-${Number(number) + 1}` };
}
