import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { InputError, type Problem } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import { describeSubject } from './compare.js';
import { isSignedBy, keyTypeOf, notAfterOf, subjectOf } from './inspect.js';
import type { SigningAuthority } from './signing-authority.js';

/** Key types that can sign here: what TLS peers of etcd, HAProxy and kube-apiserver all accept. */
const SIGNING_KEYS = /^(ecdsa-(p256|secp384r1|secp521r1)|rsa-(2048|3072|4096|8192))$/;

/**
 * Checks an authority that another program made, and brings its key into one form.
 * @param given the certificate, and its key as PKCS#1, SEC1 or PKCS#8, both PEM, neither encrypted
 * @throws InputError with all that is wrong: no CA, not self-signed, expired, another's key, a kind of key that cannot sign
 */
export function readAuthority(
  given: { readonly certificatePem: string; readonly keyPem: Secret },
  now: Date,
): SigningAuthority {
  const certificate = readCertificate(given.certificatePem);
  const key = readKey(given.keyPem);
  const problems = [
    ...(certificate instanceof X509Certificate ? certificateProblems(certificate, now) : [certificate]),
    ...('message' in key ? [key] : keyProblems('key', key)),
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
 * Checks the certificate of an authority whose key is elsewhere.
 * @returns it alone, PEM
 * @throws InputError as {@link readAuthority}
 */
export function readAuthorityCertificate(pem: string, now: Date): string {
  const certificate = readCertificate(pem);
  if (!(certificate instanceof X509Certificate)) throw new InputError([certificate]);
  const problems = [...certificateProblems(certificate, now), ...keyProblems('certificate', certificate.publicKey)];
  if (problems.length > 0) throw new InputError(problems);
  return certificate.toString();
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
      'is encrypted; give it in plain on stdin: openssl pkey -in KEY | provision ca import … --key /dev/stdin',
    );
  try {
    return createPrivateKey(text);
  } catch {
    // The cause is not told: nothing of a key may get into a message.
    return wrong('key', 'cannot be read; a PEM private key (PKCS#1, SEC1 or PKCS#8) was expected');
  }
}

function certificateProblems(certificate: X509Certificate, now: Date): Problem[] {
  const name = describeSubject(subjectOf(certificate));
  const end = notAfterOf(certificate);
  return [
    ...(certificate.ca ? [] : [wrong('certificate', `${name} is no CA: its basic constraints do not say so`)]),
    ...(certificate.subject === certificate.issuer
      ? []
      : [
          wrong(
            'certificate',
            `${name} is signed by another; a self-signed root was expected, as HAProxy trusts only roots`,
          ),
        ]),
    ...(certificate.ca && certificate.subject === certificate.issuer && !isSignedBy(certificate, certificate)
      ? [
          wrong(
            'certificate',
            `${name} may not sign certificates: its key usage lacks it, or its own signature is wrong`,
          ),
        ]
      : []),
    ...(end > now ? [] : [wrong('certificate', `${name} expired on ${end.toISOString().slice(0, 10)}`)]),
  ];
}

function keyProblems(subject: 'certificate' | 'key', key: KeyObject): Problem[] {
  const type = keyTypeOf(key);
  const is = subject === 'key' ? `is ${type}` : `is for a key of type ${type}`;
  return SIGNING_KEYS.test(type)
    ? []
    : [wrong(subject, `${is}; ECDSA on P-256, P-384 or P-521, or RSA from 2048 bits was expected`)];
}

function wrong(subject: string, message: string): Problem {
  return { severity: 'error', subject, message };
}
