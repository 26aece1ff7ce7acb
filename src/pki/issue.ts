// The polyfill must be there before the library loads (dependencies: tsyringe inside @peculiar/x509).
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, generateKeyPair, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import type { AuthorityProfile, CertificateProfile, KeyType } from '../model/certificate.js';
import { ProvisionError } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import { BACKDATE_MS } from './backdate.js';
import { namesExtension } from './alternative-names.js';
import { authorityFaults } from './authority-faults.js';
import { describeSubject, isForKey, reasonsForNewKey, reasonsToSign } from './compare.js';
import { keyUsagesIn } from './extensions.js';
import { notAfterOf } from './inspect.js';
import { keyUsagesOf } from './key-usages.js';
import type { SigningAuthority } from './signing-authority.js';
import { describeAttributes, readSubject, subjectAttributes } from './subject.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** RFC 5280, 4.1.2.2: at most 20 octets, positive. */
const SERIAL_BYTES = 16;
/** RFC 5280, 4.2.1.6. */
const SUBJECT_ALT_NAME = '2.5.29.17';

/** Where time and serial numbers come from. Keys are always made by the system's own generator. */
export interface Circumstances {
  readonly now: () => Date;
  /** Random bytes. */
  readonly random: (count: number) => Uint8Array;
}

/** A signed leaf. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** PKCS#8 PEM; absent when it was signed for the key that the host has. */
  readonly keyPem: Secret | undefined;
}

/** Makes a self-signed authority that signs leaves only (path length 0), with a new key. */
export async function makeAuthority(
  profile: AuthorityProfile,
  { now, random }: Circumstances,
): Promise<SigningAuthority> {
  const { privateKey, publicKey } = await newKey(profile.keyType);
  const name = [{ CN: [profile.commonName] }];
  const spki = spkiOf(publicKey);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(random),
      subject: name,
      issuer: name,
      notBefore: new Date(now().getTime() - BACKDATE_MS),
      notAfter: new Date(now().getTime() + profile.days * DAY_MS),
      publicKey: spki,
      ...(await signingParameters(privateKey)),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(spki, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(spki, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: pemOf(privateKey) };
}

/**
 * Signs a leaf, for a new key or for the one that the profile says to keep. It never outlives its authority. What was
 * signed is then judged as a plan would judge it: a certificate that the next plan would replace is never handed out.
 * @throws ProvisionError `authority-unusable`, `certificate-rejected`
 */
export async function issueCertificate(
  authority: SigningAuthority,
  profile: CertificateProfile,
  { now, random }: Circumstances,
): Promise<IssuedCertificate> {
  const signer = new X509Certificate(authority.certificatePem);
  const time = now();
  const faults = authorityFaults(signer, time);
  if (faults.length > 0) throw unusable(faults);
  const { publicKey, keyPem } = await leafKey(profile);
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(random),
      subject: subjectName(profile),
      issuer: issuer.subjectName,
      notBefore: latest(new Date(time.getTime() - BACKDATE_MS), new Date(signer.validFrom)),
      notAfter: earliest(new Date(time.getTime() + profile.days * DAY_MS), notAfterOf(signer)),
      publicKey,
      ...(await signingParameters(createPrivateKey(authority.keyPem.reveal()))),
      extensions: await leafExtensions(profile, publicKey, issuer),
    },
    webcrypto,
  );
  const certificatePem = `${certificate.toString('pem')}\n`;
  rejectUnlessRight(new X509Certificate(certificatePem), signer, profile, publicKey, time);
  return { certificatePem, keyPem };
}

/** @returns SubjectPublicKeyInfo, DER; and the private key when it is new */
async function leafKey(
  profile: CertificateProfile,
): Promise<{ readonly publicKey: Buffer; readonly keyPem: Secret | undefined }> {
  if (profile.keepPublicKey !== null)
    return { publicKey: Buffer.from(profile.keepPublicKey, 'base64'), keyPem: undefined };
  const pair = await newKey(profile.keyType);
  return { publicKey: spkiOf(pair.publicKey), keyPem: pemOf(pair.privateKey) };
}

async function leafExtensions(
  profile: CertificateProfile,
  publicKey: Buffer,
  issuer: x509.X509Certificate,
): Promise<x509.Extension[]> {
  const flags = keyUsagesOf(profile)
    .map((usage): x509.KeyUsageFlags => x509.KeyUsageFlags[usage])
    .reduce((sum, flag): x509.KeyUsageFlags => sum | flag);
  const names = namesExtension(profile);
  const authorityKey = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
  const known = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth } as const;
  const usages = [...profile.usages.map((usage) => known[usage]), ...(profile.furtherUsages ?? [])];
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(flags, true),
    ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(usages)]),
    await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
    // Authorities of other programs may choose their key identifier in another way: theirs is copied.
    authorityKey === null
      ? await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto)
      : new x509.AuthorityKeyIdentifierExtension(authorityKey.keyId),
    ...(names === undefined ? [] : [new x509.Extension(SUBJECT_ALT_NAME, false, names)]),
  ];
}

/** As JSON: the library reads `+` and `,` in a text as syntax. */
function subjectName(profile: CertificateProfile): x509.JsonName {
  return subjectAttributes(profile).map(([type, value]) => ({ [type === 'emailAddress' ? 'E' : type]: [value] }));
}

function rejectUnlessRight(
  leaf: X509Certificate,
  authority: X509Certificate,
  profile: CertificateProfile,
  publicKey: Buffer,
  now: Date,
): void {
  const wrong = [
    ...[
      ...reasonsToSign(leaf, { profile, authority, now, renewBeforeDays: 0 }),
      ...reasonsForNewKey(leaf, profile),
    ].map(({ text }) => text),
    ...(isForKey(leaf, publicKey.toString('base64')) ? [] : ['is for another key']),
    ...(notAfterOf(leaf) > notAfterOf(authority) ? ['outlives its authority'] : []),
    ...(describeAttributes(readSubject(leaf.subject)) === describeAttributes(subjectAttributes(profile))
      ? []
      : [`has the subject ${describeAttributes(readSubject(leaf.subject))}`]),
    ...(keyUsagesIn(leaf).toSorted().join() === keyUsagesOf(profile).toSorted().join() ? [] : ['has other key usages']),
  ];
  if (wrong.length === 0) return;
  throw new ProvisionError({
    code: 'certificate-rejected',
    message: `the certificate ${describeSubject(profile)} was signed incorrectly and is discarded: ${wrong.join('; ')}`,
    hint: 'check the authority with: provision ca show STORE',
  });
}

/** Both kinds of key, made by the system's generator. */
async function newKey(type: KeyType): Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }> {
  const generate = promisify(generateKeyPair);
  switch (type) {
    case 'ecdsa-p256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return generate('rsa', { modulusLength: Number(type.slice('rsa-'.length)) });
  }
}

/** The hash that fits each curve's size (RFC 5480, section 4). */
const CURVES: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

/** The key and algorithm as the library's signing wants them. @throws ProvisionError for a key that cannot sign here */
async function signingParameters(
  key: KeyObject,
): Promise<{ readonly signingKey: webcrypto.CryptoKey; readonly signingAlgorithm: webcrypto.EcdsaParams }> {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  const algorithm =
    curve === undefined
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: curve.namedCurve, hash: curve.hash };
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  return { signingKey, signingAlgorithm: algorithm };
}

/** Top bit clear: a positive number in DER. */
function serialNumber(random: Circumstances['random']): string {
  const bytes = Buffer.from(random(SERIAL_BYTES));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('hex');
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function pemOf(key: KeyObject): Secret {
  return new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());
}

function earliest(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function latest(a: Date, b: Date): Date {
  return a > b ? a : b;
}

function unusable(faults: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'authority-unusable',
    message: `the certificate authority cannot sign anything: ${faults.join('; ')}`,
    hint: 'check the date of this machine, then: provision ca show STORE',
  });
}
