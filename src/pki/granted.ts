import type { X509Certificate } from 'node:crypto';
import type { CertificateProfile } from '../model/certificate.js';
import { describeNames } from './alternative-names.js';
import { namesOf, usagesOf } from './inspect.js';
import { describeAttributes, readSubject, subjectAttributes } from './subject.js';

/**
 * What a certificate on a host says that the inventory's list of certificates does not: each by name, as
 * `etcd_cert_grants` has it. `subject O=system:masters`, `SAN DNS *`, `usage 1.3.6.1.5.5.7.3.9`, `every usage`.
 */
export function beyondProfile(found: X509Certificate, profile: CertificateProfile): readonly string[] {
  const wanted = subjectAttributes(profile).map((attribute) => describeAttributes([attribute]));
  const usages = usagesOf(found);
  const allowed: readonly string[] = profile.usages;
  return [
    ...readSubject(found.subject)
      .map((attribute) => describeAttributes([attribute]))
      .filter((attribute) => !wanted.includes(attribute))
      .map((attribute) => `subject ${attribute}`),
    ...describeNames(namesOf(found))
      .filter((name) => !describeNames(profile).includes(name))
      .map((name) => `SAN ${name}`),
    ...(usages.length === 0 ? ['every usage'] : []),
    ...usages.filter((usage) => !allowed.includes(usage)).map((usage) => `usage ${usage}`),
  ];
}
