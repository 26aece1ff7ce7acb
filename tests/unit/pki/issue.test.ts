import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import { ProvisionError } from '../../../src/model/errors.js';
import { keyTypeOf, namesOf, notAfterOf, publicKeyText, subjectOf, usagesOf } from '../../../src/pki/inspect.js';
import { issueCertificate, makeAuthority } from '../../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, daysFromToday, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

async function issue(change: Partial<CertificateProfile> = {}, at = TODAY) {
  const authority = await authorityFrom(TODAY);
  const issued = await issueCertificate(authority, { ...SERVER_PROFILE, ...change }, circumstancesAt(at));
  return { ...issued, certificate: new X509Certificate(issued.certificatePem), authority };
}

describe('issueCertificate', () => {
  test('says what the profile says', async () => {
    const { certificate } = await issue();
    expect(subjectOf(certificate)).toEqual({ commonName: 'etcd-1', organizations: [] });
    expect(namesOf(certificate)).toEqual({
      dnsNames: ['etcd-1', 'localhost'],
      ipAddresses: ['10.0.0.1', '127.0.0.1', '::1'],
      otherNames: [],
    });
    expect(usagesOf(certificate)).toEqual(['client', 'server']);
    expect(certificate.ca).toBe(false);
  });

  test('gives the key of the certificate, and shows it to nobody', async () => {
    const { certificate, keyPem } = await issue();
    expect(certificate.checkPrivateKey(createPrivateKey(keyPem?.reveal() ?? ''))).toBe(true);
    expect(JSON.stringify({ keyPem })).toBe('{"keyPem":"[redacted]"}');
  });

  test('is valid from five minutes ago, for its days', async () => {
    const { certificate } = await issue({}, daysFromToday(1));
    expect(new Date(certificate.validFrom)).toEqual(new Date('2026-11-22T11:55:00Z'));
    expect(notAfterOf(certificate)).toEqual(daysFromToday(366));
  });

  test('never outlives its authority, and never begins before it', async () => {
    const authority = await authorityFrom(TODAY, 100);
    const { certificatePem } = await issueCertificate(authority, SERVER_PROFILE, circumstancesAt(TODAY));
    const [leaf, ca] = [new X509Certificate(certificatePem), new X509Certificate(authority.certificatePem)];
    expect(leaf.validTo).toBe(ca.validTo);
    expect(leaf.validFrom).toBe(ca.validFrom);
  });

  test.each(['ecdsa-p256', 'rsa-3072'] as const)('makes a %s key', async (keyType) => {
    const { certificate } = await issue({ keyType });
    expect(keyTypeOf(certificate.publicKey)).toBe(keyType);
  });

  test('renews for the key that the host has', async () => {
    const authority = await authorityFrom(TODAY);
    const circumstances = circumstancesAt(TODAY);
    const first = new X509Certificate(
      (await issueCertificate(authority, SERVER_PROFILE, circumstances)).certificatePem,
    );
    const kept = publicKeyText(first.publicKey);
    const renewed = await issueCertificate(authority, { ...SERVER_PROFILE, keepPublicKey: kept }, circumstances);
    const certificate = new X509Certificate(renewed.certificatePem);
    expect(renewed.keyPem).toBeUndefined();
    expect(publicKeyText(certificate.publicKey)).toBe(kept);
    expect(certificate.serialNumber).not.toBe(first.serialNumber);
  });

  test('takes subjects for what they are, also with characters that are syntax elsewhere', async () => {
    const subject = { commonName: 'a+b, c=d #g', organizations: ['Org; One', 'Zwei/Drei'] };
    const { certificate } = await issue(subject);
    expect(subjectOf(certificate)).toEqual(subject);
  });

  test.each([
    ['all ones', 0xff, '7f', 32],
    ['leading zero bytes', 0x00, '', 28],
  ])('has a positive serial number of 16 bytes: %s', async (_, first, prefix, digits) => {
    const authority = await authorityFrom(TODAY);
    const random = (count: number): Uint8Array => Uint8Array.from({ length: count }, (__, i) => (i < 2 ? first : 0xff));
    const { certificatePem } = await issueCertificate(authority, SERVER_PROFILE, { now: () => TODAY, random });
    const { serialNumber } = new X509Certificate(certificatePem);
    expect(serialNumber.toLowerCase()).toMatch(new RegExp(`^${prefix}`));
    expect(serialNumber).not.toContain('-');
    expect(serialNumber).toHaveLength(digits);
  });

  test.each([
    // The library reads quotation marks as syntax, and leaves out what is around them.
    ['another subject', { commonName: 'a "b" c' }, 'subject is CN=b'],
    [
      'another part of a subject that is kept',
      { subject: ['OU=a "b" c', 'CN=etcd-1'] },
      'has the subject OU=b, CN=etcd-1',
    ],
    // One that is never kept: it is not read back.
    ['a key usage that was not asked for', { keyUsages: ['encipherOnly'] as never }, 'has other key usages'],
    ['a name of the wrong kind', { dnsNames: ['10.0.0.1'], ipAddresses: ['0:0:0:0:0:0:0:1'] }, 'SAN IP'],
  ])('throws away what the next plan would replace: %s', async (_, change, reason) => {
    await expect(issue(change)).rejects.toMatchObject({
      code: 'certificate-rejected',
      message: expect.stringContaining(reason),
    });
  });

  test('throws away a certificate for a key of another type', async () => {
    const { certificate } = await issue();
    const kept = publicKeyText(certificate.publicKey);
    const rejected = issue({ keyType: 'rsa-2048', keepPublicKey: kept });
    await expect(rejected).rejects.toThrow('key is ecdsa-p256, not rsa-2048');
    // What it says comes first, then the key for which it says so.
    const both = issue({ keyType: 'rsa-2048', keepPublicKey: kept, commonName: 'a "b" c' });
    await expect(both).rejects.toThrow(/subject is CN=b.*; key is ecdsa-p256, not rsa-2048/);
  });

  test('an expired authority signs nothing', async () => {
    await expect(issue({}, daysFromToday(3651))).rejects.toThrow(ProvisionError);
    await expect(issue({}, daysFromToday(3651))).rejects.toMatchObject({ code: 'authority-unusable' });
  });
});

describe('makeAuthority', () => {
  test('is a root that signs itself, for its days', async () => {
    const { certificatePem, keyPem } = await makeAuthority(
      { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' },
      circumstancesAt(TODAY),
    );
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(notAfterOf(certificate)).toEqual(daysFromToday(3650));
    expect(certificate.checkPrivateKey(createPrivateKey(keyPem.reveal()))).toBe(true);
  });
});
