import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { InputError } from '../../../src/model/errors.js';
import { Secret } from '../../../src/model/secret.js';
import { readAuthority } from '../../../src/pki/import-authority.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, daysFromToday, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

/** What is wrong, as lines; empty when it is accepted. */
function problemsOf(certificatePem: string, keyPem: Secret | string, now = TODAY): readonly string[] {
  try {
    readAuthority({ certificatePem, keyPem: typeof keyPem === 'string' ? new Secret(keyPem) : keyPem }, now);
    return [];
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(({ subject, message }) => `${subject} ${message}`);
    throw error;
  }
}

describe('readAuthority', () => {
  test.each([
    ['ecdsa-p256', 'sec1'],
    ['ecdsa-p256', 'pkcs8'],
    ['rsa-2048', 'pkcs1'],
    ['rsa-2048', 'pkcs8'],
  ] as const)('takes a %s key as %s, and signs with it', async (keyType, type) => {
    const authority = await authorityFrom(TODAY, 3650, keyType);
    const keyPem = createPrivateKey(authority.keyPem.reveal())
      .export({ type, format: 'pem' } as never)
      .toString();
    const read = readAuthority({ certificatePem: authority.certificatePem, keyPem: new Secret(keyPem) }, TODAY);
    const { certificatePem } = await issueCertificate(read, SERVER_PROFILE, circumstancesAt(TODAY));
    expect(new X509Certificate(certificatePem).checkIssued(new X509Certificate(authority.certificatePem))).toBe(true);
  });

  test('refuses the key of another authority', async () => {
    const [one, other] = [await authorityFrom(TODAY), await authorityFrom(TODAY)];
    expect(problemsOf(one.certificatePem, other.keyPem)).toEqual(['key is not the key of this certificate']);
  });

  test('refuses a leaf', async () => {
    const authority = await authorityFrom(TODAY);
    const leaf = await issueCertificate(authority, SERVER_PROFILE, circumstancesAt(TODAY));
    expect(problemsOf(leaf.certificatePem, leaf.keyPem ?? '')).toEqual([
      'certificate CN=etcd-1 is not a CA: its basic constraints or its key usage do not say so',
      'certificate CN=etcd-1 is signed by another; a self-signed root was expected, as HAProxy trusts only roots',
    ]);
  });

  test('refuses one that has expired', async () => {
    const { certificatePem, keyPem } = await authorityFrom(TODAY, 10);
    expect(problemsOf(certificatePem, keyPem, daysFromToday(11))).toEqual([
      'certificate CN=etcd-ca expired on 2026-12-01',
    ]);
  });

  test('refuses one that is not valid yet', async () => {
    const { certificatePem, keyPem } = await authorityFrom(daysFromToday(1));
    expect(problemsOf(certificatePem, keyPem)).toEqual([
      'certificate CN=etcd-ca is valid only from 2026-11-22T11:55:00.000Z',
    ]);
  });

  test('refuses keys that TLS peers of etcd do not take', async () => {
    const { certificatePem } = await authorityFrom(TODAY);
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(problemsOf(certificatePem, pem)[0]).toContain('key is ed25519; ECDSA on P-256');
  });

  test('of an encrypted key it is said how to give it', async () => {
    const { certificatePem, keyPem } = await authorityFrom(TODAY);
    const encrypted = createPrivateKey(keyPem.reveal())
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString();
    expect(problemsOf(certificatePem, encrypted)).toEqual([
      expect.stringMatching(/^key is encrypted; .*openssl pkey -in KEY/),
    ]);
  });

  test('refuses a certificate that is damaged', async () => {
    const { certificatePem, keyPem } = await authorityFrom(TODAY);
    const damaged = certificatePem.replace(/^(-----BEGIN.*\n).{8}/, '$1AAAAAAAA');
    expect(problemsOf(damaged, keyPem)).toEqual(['certificate is damaged: it cannot be read as X.509']);
  });

  test('tells all problems at once, and nothing of the key', () => {
    const planted = '-----BEGIN PRIVATE KEY-----\nplanted-key-text\n-----END PRIVATE KEY-----\n';
    const problems = problemsOf('no certificate', planted);
    expect(problems).toEqual([
      expect.stringMatching(/^certificate holds 0 PEM certificates/),
      expect.stringMatching(/^key cannot be read/),
    ]);
    expect(() => readAuthority({ certificatePem: 'no certificate', keyPem: new Secret(planted) }, TODAY)).toThrow(
      expect.objectContaining({
        problems: [expect.objectContaining({ severity: 'error' }), expect.objectContaining({ severity: 'error' })],
      }),
    );
    expect(problems.join()).not.toContain('planted-key-text');
  });
});
