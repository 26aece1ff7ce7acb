import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { InputError, type Problem } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import { authorityFaults, SIGNING_KEYS, SIGNING_KEYS_IN_WORDS } from './authority-faults.js';
import { describeSubject } from './compare.js';
import { keyTypeOf, notAfterOf, subjectOf } from './inspect.js';
import type { SigningAuthority } from './signing-authority.js';

/** What is signed by an authority that ends sooner would be due for renewal at once, and could not be renewed. Days. */
const SHORTEST_LIFE = 30;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Checks an authority that another program made, and brings its key into one form.
 * @param given the certificate, and its key as PKCS#1, SEC1 or PKCS#8, both PEM, neither encrypted
 * @throws InputError with all that is wrong: no CA, not self-signed, not valid now, another's key, a kind of key that cannot sign
 */
export function readAuthority(
  given: { readonly certificatePem: string; readonly keyPem: Secret },
  now: Date,
): SigningAuthority {
  const certificate = readCertificate(given.certificatePem);
  const key = readKey(given.keyPem);
  const problems = [
    ...(certificate instanceof X509Certificate ? certificateProblems(certificate, now) : [certificate]),
    ...('message' in key ? [key] : keyProblems(key)),
  ];
  if (!(certificate instanceof X509Certificate) || 'message' in key) throw new InputError(problems);
  if (!certificate.checkPrivateKey(key)) problems.push(wrong('key', 'is not the key of this certificate'));
  if (problems.length > 0) throw new InputError(problems);
  return {
    certificatePem: certificate.toString(),
    keyPem: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
  };
}

/**
 * Checks the certificate of an authority whose key is kept externally.
 * @returns it alone, PEM
 * @throws InputError as {@link readAuthority}
 */
export function readAuthorityCertificate(pem: string, now: Date): string {
  const certificate = readCertificate(pem);
  if (!(certificate instanceof X509Certificate)) throw new InputError([certificate]);
  const problems = certificateProblems(certificate, now);
  if (problems.length > 0) throw new InputError(problems);
  return certificate.toString();
}

/**
 * Refuses to bring in an authority that ends soon: one that is in use already goes on signing to its end.
 * @param certificatePem as {@link readAuthority} gives it
 * @throws InputError
 */
export function refuseShortLife(certificatePem: string, now: Date): void {
  const certificate = new X509Certificate(certificatePem);
  const end = notAfterOf(certificate);
  if (end.getTime() - now.getTime() >= SHORTEST_LIFE * DAY_MS) return;
  const name = describeSubject(subjectOf(certificate));
  throw new InputError([
    wrong(
      'certificate',
      `${name} ends on ${end.toISOString()}, in less than ${SHORTEST_LIFE} days, and with it all that it signs; make one that lives longer first`,
    ),
  ]);
}

function readCertificate(pem: string): X509Certificate | Problem {
  const count = pem.match(/-----BEGIN CERTIFICATE-----/g)?.length ?? 0;
  if (count !== 1)
    return wrong('certificate', `holds ${count} PEM certificates; exactly one was expected, the authority's own`);
  try {
    return new X509Certificate(pem);
  } catch {
    return wrong('certificate', 'is damaged: it cannot be read as X.509');
  }
}

function readKey(pem: Secret): KeyObject | Problem {
  const text = pem.reveal();
  if (/ENCRYPTED/.test(text))
    return wrong(
      'key',
      'is encrypted; pass it unencrypted on stdin: openssl pkey -in KEY | provision ca import STORE --certificate FILE --key /dev/stdin',
    );
  try {
    return createPrivateKey(text);
  } catch {
    // The cause is not shown: nothing of a key may get into a message.
    return wrong('key', 'cannot be read; a PEM private key (PKCS#1, SEC1 or PKCS#8) was expected');
  }
}

function certificateProblems(certificate: X509Certificate, now: Date): Problem[] {
  return authorityFaults(certificate, now).map((fault) => wrong('certificate', fault));
}

function keyProblems(key: KeyObject): Problem[] {
  const type = keyTypeOf(key);
  return SIGNING_KEYS.test(type) ? [] : [wrong('key', `is ${type}; ${SIGNING_KEYS_IN_WORDS}`)];
}

function wrong(subject: string, message: string): Problem {
  return { severity: 'error', subject, message };
}
