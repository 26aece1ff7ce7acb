import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto, X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { isKeyType, isSignedBy, namesOf, readCertificates, subjectOf, usagesOf } from '../../../src/pki/inspect.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

async function leafOf(authority: SigningAuthority): Promise<X509Certificate> {
  return new X509Certificate(
    (await issueCertificate(authority, SERVER_PROFILE, circumstancesAt(TODAY))).certificatePem,
  );
}

function certificateOf({ certificatePem }: SigningAuthority): X509Certificate {
  return new X509Certificate(certificatePem);
}

describe('who signed a certificate', () => {
  test('is known by the signature, not by the name: two authorities may bear the same one', async () => {
    const [ours, namesake] = await Promise.all([authorityFrom(TODAY), authorityFrom(TODAY)]);
    const leaf = await leafOf(ours);
    expect(leaf.issuer).toBe(certificateOf(namesake).subject);
    expect(isSignedBy(leaf, certificateOf(ours))).toBe(true);
    expect(isSignedBy(leaf, certificateOf(namesake))).toBe(false);
  });

  test('is known by the signature where name and key identifier are copied: anyone can write them', async () => {
    const ours = await authorityFrom(TODAY);
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const keyId = new x509.X509Certificate(ours.certificatePem).getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
    const forged = await x509.X509CertificateGenerator.create(
      {
        subject: 'CN=etcd-1',
        issuer: new x509.X509Certificate(ours.certificatePem).subjectName,
        notBefore: TODAY,
        notAfter: new Date(TODAY.getTime() + 1_000_000),
        publicKey: keys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
        extensions: [new x509.AuthorityKeyIdentifierExtension(keyId ?? '')],
      },
      webcrypto,
    );
    const leaf = new X509Certificate(forged.toString('pem'));
    // All that is only written there fits.
    expect(leaf.checkIssued(certificateOf(ours))).toBe(true);
    expect(isSignedBy(leaf, certificateOf(ours))).toBe(false);
  });

  test('is known by the name too: the same key under another name is another authority', async () => {
    const ours = await authorityFrom(TODAY);
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const signing = { signingKey: keys.privateKey, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } };
    const span = { notBefore: TODAY, notAfter: new Date(TODAY.getTime() + 1_000_000), publicKey: keys.publicKey };
    const made = async (subject: string, issuer: string): Promise<X509Certificate> => {
      const given = { ...span, ...signing, subject, issuer };
      return new X509Certificate((await x509.X509CertificateGenerator.create(given, webcrypto)).toString('pem'));
    };
    const leaf = await made('CN=etcd-1', 'CN=another-ca');
    const [another, namedOtherwise] = [await made('CN=another-ca', 'CN=another-ca'), await made('CN=x', 'CN=x')];
    // Its signature is the same key's in both.
    expect([leaf.verify(another.publicKey), leaf.verify(namedOtherwise.publicKey)]).toEqual([true, true]);
    expect([isSignedBy(leaf, another), isSignedBy(leaf, namedOtherwise)]).toEqual([true, false]);
    expect(isSignedBy(leaf, certificateOf(ours))).toBe(false);
  });
});

test('a certificate without names and usages has none', async () => {
  const bare = { ...SERVER_PROFILE, dnsNames: [], ipAddresses: [], usages: [] };
  const { certificatePem } = await issueCertificate(await authorityFrom(TODAY), bare, circumstancesAt(TODAY));
  const certificate = new X509Certificate(certificatePem);
  expect(namesOf(certificate)).toEqual({ dnsNames: [], ipAddresses: [], otherNames: [] });
  expect(usagesOf(certificate)).toEqual([]);
});

test('a subject is its common name and its organizations, whichever of them it has', async () => {
  const authority = await authorityFrom(TODAY);
  for (const [subject, commonName, organizations] of [
    [['O=one'], '', ['one']],
    [['CN=a'], 'a', []],
    [['O=one', 'O=two', 'CN=a'], 'a', ['one', 'two']],
  ] as const) {
    const profile = { ...SERVER_PROFILE, subject, commonName, organizations };
    const { certificatePem } = await issueCertificate(authority, profile, circumstancesAt(TODAY));
    expect(subjectOf(new X509Certificate(certificatePem))).toEqual({ commonName, organizations });
  }
});

test('certificates are read one by one: what is between them is passed over, a damaged one has its place', async () => {
  const [one, other] = [(await authorityFrom(TODAY)).certificatePem, (await authorityFrom(TODAY)).certificatePem];
  const damaged = one.replace(/^(-----BEGIN.*\n).{8}/, '$1AAAAAAAA');
  const read = readCertificates(`# ours\n${one}\n${damaged}text\n${other}`);
  expect(read.map((each) => each?.toString())).toEqual([one, undefined, other]);
  expect(readCertificates('nothing')).toEqual([]);
});

test.each([
  ['ecdsa-p256', true],
  ['rsa-2048', true],
  ['rsa-3072', true],
  ['rsa-4096', true],
  ['rsa-1024', false],
  ['ecdsa-secp384r1', false],
  ['ed25519', false],
  ['', false],
])('%j is a kind of key that is made here: %s', (type, expected) => {
  expect(isKeyType(type)).toBe(expected);
});
