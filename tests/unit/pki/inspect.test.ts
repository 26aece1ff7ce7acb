import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { isKeyType, isSignedBy } from '../../../src/pki/inspect.js';
import { issueCertificate, makeAuthority } from '../../../src/pki/issue.js';
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
  test('is told by the signature, not by the name: two authorities may bear the same one', async () => {
    const [ours, namesake] = await Promise.all([authorityFrom(TODAY), authorityFrom(TODAY)]);
    const leaf = await leafOf(ours);
    expect(leaf.issuer).toBe(certificateOf(namesake).subject);
    expect(isSignedBy(leaf, certificateOf(ours))).toBe(true);
    expect(isSignedBy(leaf, certificateOf(namesake))).toBe(false);
  });

  test('is told by the name too: the same key under another name is another authority', async () => {
    const ours = await authorityFrom(TODAY);
    const other = await makeAuthority(
      { commonName: 'another-ca', days: 3650, keyType: 'ecdsa-p256' },
      circumstancesAt(TODAY),
    );
    expect(isSignedBy(await leafOf(other), certificateOf(ours))).toBe(false);
  });
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
