import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import { widenProfile } from '../../../src/pki/compare.js';
import { beyondProfile } from '../../../src/pki/granted.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

let authority: SigningAuthority;
beforeAll(async () => {
  authority = await authorityFrom(TODAY);
});

async function leaf(change: Partial<CertificateProfile>): Promise<X509Certificate> {
  const profile = { ...SERVER_PROFILE, ...change };
  return new X509Certificate((await issueCertificate(authority, profile, circumstancesAt(TODAY))).certificatePem);
}

describe('what a certificate says that the inventory does not', () => {
  test.each<[string, Partial<CertificateProfile>, readonly string[]]>([
    ['nothing', {}, []],
    ['less than it says', { dnsNames: ['etcd-1'], ipAddresses: [], usages: ['client'] }, []],
    ['two groups', { organizations: ['system:masters', 'b'] }, ['subject O=system:masters', 'subject O=b']],
    ['another name', { commonName: 'root' }, ['subject CN=root']],
    [
      'names and addresses',
      { dnsNames: ['etcd-1', '*', 'z'], ipAddresses: ['10.0.0.1', '10.0.0.9'] },
      ['SAN DNS *', 'SAN DNS z', 'SAN IP 10.0.0.9'],
    ],
    ['further usages', { furtherUsages: ['1.2.3', '1.2.4'] }, ['usage 1.2.3', 'usage 1.2.4']],
    ['every usage, by none', { usages: [] }, ['every usage']],
  ])('is %s', async (_, change, expected) => {
    expect(beyondProfile(await leaf(change), SERVER_PROFILE)).toEqual(expected);
  });

  test('is a server’s right where only a client was wanted', async () => {
    expect(beyondProfile(await leaf({}), { ...SERVER_PROFILE, usages: ['client'] })).toEqual(['usage server']);
  });
});

describe('a profile that is widened by what is kept', () => {
  test('keeps all that the certificate says beside it, and wants no less than before', async () => {
    const found = await leaf({
      commonName: 'kept',
      organizations: ['o'],
      dnsNames: ['kept.example'],
      ipAddresses: ['10.9.9.9'],
      usages: ['client'],
      furtherUsages: ['1.2.3'],
      keyUsages: ['nonRepudiation'],
    });
    expect(widenProfile({ ...SERVER_PROFILE, keyType: 'rsa-2048', usages: ['server'] }, found)).toEqual({
      ...SERVER_PROFILE,
      commonName: 'kept',
      organizations: ['o'],
      subject: ['O=o', 'CN=kept'],
      dnsNames: ['etcd-1', 'localhost', 'kept.example'],
      ipAddresses: ['10.0.0.1', '127.0.0.1', '::1', '10.9.9.9'],
      usages: ['server', 'client'],
      furtherUsages: ['1.2.3'],
      keyUsages: ['digitalSignature', 'nonRepudiation'],
      keyType: 'ecdsa-p256',
    });
  });

  test('stays good for everything where it was, and says nothing of what was not there', async () => {
    const widened = widenProfile(SERVER_PROFILE, await leaf({ usages: [] }));
    expect(widened.usages).toEqual([]);
    expect(widened).not.toHaveProperty('furtherUsages');
    expect(widened).not.toHaveProperty('otherNames');
  });
});
