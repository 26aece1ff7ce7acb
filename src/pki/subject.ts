import type { CertificateProfile } from '../model/certificate.js';

/** Attributes that both openssl and the x509 library have a name for. */
const KNOWN = ['C', 'ST', 'L', 'O', 'OU', 'CN', 'DC', 'emailAddress'];

/** One attribute of a subject. */
export type SubjectAttribute = readonly [type: string, value: string];

/**
 * The subject that a profile asks for, as types and values in their order. Of a subject that is kept, attributes that
 * are not known by name are left out.
 */
export function subjectAttributes({
  subject,
  organizations,
  commonName,
}: Pick<CertificateProfile, 'subject' | 'organizations' | 'commonName'>): readonly SubjectAttribute[] {
  if (subject === undefined) return [...organizations.map((name) => ['O', name] as const), ['CN', commonName]];
  return readSubject(subject.join('\n')).filter(([type]) => KNOWN.includes(type));
}

/**
 * The attributes of a subject, as Node writes it: a line each, escaped as RFC 2253 says.
 * @param text `C=US\nO=Example\\, Inc.`
 */
export function readSubject(text: string): readonly SubjectAttribute[] {
  return text.split('\n').flatMap((line) => {
    const [, type = '', value = ''] = /^([^=]+)=(.*)$/.exec(line) ?? [];
    return type === '' ? [] : [[type, unescape(value)] as const];
  });
}

/** A whole subject for people: `O=Example, CN=etcd-1`. */
export function describeAttributes(attributes: readonly SubjectAttribute[]): string {
  return attributes.map(([type, value]) => `${type}=${value}`).join(', ');
}

/** Escaped are single characters, and bytes of UTF-8 as two hex digits. */
function unescape(value: string): string {
  const bytes = value.replace(/(?:\\[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('\\', ''), 'hex').toString('utf8'),
  );
  return bytes.replace(/\\([^0-9A-Fa-f])/g, '$1');
}
