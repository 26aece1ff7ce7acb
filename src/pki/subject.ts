import type { CertificateProfile } from '../model/certificate.js';

/** Attributes that both openssl and the x509 library have a name for. */
const KNOWN = ['C', 'ST', 'L', 'O', 'OU', 'CN', 'DC', 'emailAddress'];

/**
 * The subject that a profile asks for, as types and values in their order. Of a subject that is kept, attributes that
 * are not known by name are left out.
 */
export function subjectAttributes({
  subject,
  organizations,
  commonName,
}: CertificateProfile): readonly (readonly [type: string, value: string])[] {
  if (subject === undefined) return [...organizations.map((name) => ['O', name] as const), ['CN', commonName]];
  return subject.flatMap((line) => {
    const [, type = '', value = ''] = /^([^=]+)=(.*)$/.exec(line) ?? [];
    return KNOWN.includes(type) ? [[type, value] as const] : [];
  });
}
