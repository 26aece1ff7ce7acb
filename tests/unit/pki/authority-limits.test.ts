// Where an authority begins and ends to be one: to the second, and to the character.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { authorityFaults, SIGNING_KEYS } from '../../../src/pki/authority-faults.js';
import { describeAuthority } from '../../../src/pki/describe-authority.js';
import { decryptSecret, encryptSecret, SCRYPT_LOG_N } from '../../../src/pki/encryption.js';
import { openGeneratedSecret } from '../../../src/pki/generated-secret.js';
import { readAuthority, refuseShortLife } from '../../../src/pki/import-authority.js';
import { keyTypeOf, publicKeyText } from '../../../src/pki/inspect.js';
import { issueCertificate, makeAuthority } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { signingCommand } from '../../../src/pki/signing-command.js';
import { authorityFrom, circumstancesAt, daysFromToday, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const SECOND = 1000;
const later = (date: Date, ms: number): Date => new Date(date.getTime() + ms);

let authority: SigningAuthority;
beforeAll(async () => {
  authority = await authorityFrom(TODAY, 100);
});

describe('the life of an authority', () => {
  const [BEGIN, END] = [later(TODAY, -5 * 60 * SECOND), daysFromToday(100)];

  test.each([
    [later(BEGIN, -SECOND), ['CN=etcd-ca is valid only from 2026-11-21T11:55:00.000Z']],
    [BEGIN, []],
    [later(END, -SECOND), []],
    [END, ['CN=etcd-ca expired on 2027-03-01']],
  ])('at %p: %j', (now, faults) => {
    expect(authorityFaults(new X509Certificate(authority.certificatePem), now)).toEqual(faults);
  });

  test.each([
    [0, true],
    [SECOND, false],
  ])('%i ms into its last thirty days it may be brought in: %s', (ms, accepted) => {
    const refuse = (): void => {
      refuseShortLife(authority.certificatePem, later(daysFromToday(70), ms));
    };
    if (accepted) expect(refuse).not.toThrow();
    else expect(refuse).toThrow('in less than 30 days');
  });

  test.each([
    [daysFromToday(99), 'in 1 day)'],
    [later(daysFromToday(98), SECOND), 'in 1 day)'],
    [daysFromToday(98), 'in 2 days)'],
    [later(END, -SECOND), 'in 0 days)'],
    [END, 'in 0 days)'],
    [later(END, SECOND), '(EXPIRED)'],
  ])('is counted in whole days: at %p %s', (now, words) => {
    const store = {
      directory: '/pki',
      authority: { certificate: () => undefined, trustBundle: () => authority.certificatePem },
    };
    expect(describeAuthority(store, now)).toContain(words);
  });

  test.each([
    [TODAY, 100, 100],
    [TODAY, 99, 99],
    [later(TODAY, SECOND), 365, 99],
    [daysFromToday(1), 365, 99],
  ])('no leaf is asked for that outlives it: at %p, of %i days, -days %i', (now, days, asked) => {
    expect(signingCommand(['a/b'], { authorityPem: authority.certificatePem, days, now })).toContain(`-days ${asked} `);
    expect(signingCommand(['a/b'], { authorityPem: '', days, now })).toContain(`-days ${days} `);
  });
});

describe('what is no root of a cluster', () => {
  const TYPES = 'ECDSA on P-256, P-384 or P-521, or RSA from 2048 bits was expected';
  const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

  async function madeBy(
    algorithm: webcrypto.EcKeyGenParams | webcrypto.Algorithm,
    { ca = true, issuer = 'CN=x' } = {},
  ): Promise<X509Certificate> {
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const made = await x509.X509CertificateGenerator.create(
      {
        ...{ subject: 'CN=x', issuer, notBefore: TODAY, notAfter: daysFromToday(1000) },
        ...{ publicKey: keys.publicKey, signingKey: keys.privateKey, signingAlgorithm: algorithm },
        extensions: [
          new x509.BasicConstraintsExtension(ca, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      webcrypto,
    );
    return new X509Certificate(made.toString('pem'));
  }

  /** Its last byte is one of its signature. */
  const damaged = (certificate: X509Certificate): X509Certificate => {
    const bytes = Buffer.from(certificate.raw);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    return new X509Certificate(bytes);
  };

  test.each<[string, () => Promise<X509Certificate>, readonly string[]]>([
    ['its own signature', () => madeBy(P256), []],
    ['the signature of nobody', async () => damaged(await madeBy(P256)), ['has a signature that is not its own']],
    [
      'the name of another as its signer',
      () => madeBy(P256, { issuer: 'CN=y' }),
      ['is signed by another; a self-signed root was expected, as HAProxy trusts only roots'],
    ],
    [
      'no right to sign',
      () => madeBy(P256, { ca: false }),
      ['is not a CA: its basic constraints or its key usage do not say so'],
    ],
    ['a key that nobody takes', () => madeBy({ name: 'Ed25519' }), [`is for a key of type ed25519; ${TYPES}`]],
  ])('one with %s', async (_, made, faults) => {
    expect(authorityFaults(await made(), TODAY)).toEqual(faults.map((fault) => `CN=x ${fault}`));
  });
});

describe('what an authority may sign', () => {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const MISSING = (which: string): string => `CN=x may not sign for ${which}: missing in its extended key usage`;
  // RFC 5280, 4.2.1.10: permitted, dNSName `a`.
  const constraint = new x509.Extension('2.5.29.30', true, Buffer.from('3007a0053003820161', 'hex'));

  test.each<[string, readonly x509.Extension[], readonly string[]]>([
    ['anything where it does not say', [], []],
    ['both where it names both', [new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth])], []],
    ['no clients', [new x509.ExtendedKeyUsageExtension([serverAuth])], [MISSING('client')]],
    ['no servers', [new x509.ExtendedKeyUsageExtension([clientAuth])], [MISSING('server')]],
    ['neither', [new x509.ExtendedKeyUsageExtension(['2.5.29.37.0'])], [MISSING('server and client')]],
    [
      'some names alone',
      [constraint],
      ['CN=x constrains the names that it signs; an authority without name constraints was expected'],
    ],
  ])('%s', async (_, more, faults) => {
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        ...{ name: 'CN=x', keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } },
        ...{ notBefore: TODAY, notAfter: daysFromToday(1000) },
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
          ...more,
        ],
      },
      webcrypto,
    );
    expect(authorityFaults(new X509Certificate(certificate.toString('pem')), TODAY)).toEqual(faults);
  });
});

describe('the key of an authority', () => {
  test.each([
    ['ecdsa-p256', true],
    ['ecdsa-secp384r1', true],
    ['ecdsa-secp521r1', true],
    ['ecdsa-secp256k1', false],
    ['rsa-2048', true],
    ['rsa-3072', true],
    ['rsa-4096', true],
    ['rsa-8192', true],
    ['rsa-1024', false],
    ['rsa-20480', false],
    ['an rsa-2048', false],
    ['ed25519', false],
  ])('of the kind %s may sign: %s', (type, may) => {
    expect(SIGNING_KEYS.test(type)).toBe(may);
  });

  test('is named by its kind', () => {
    expect(keyTypeOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)).toBe('rsa-1024');
    expect(keyTypeOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)).toBe('ecdsa-p256');
    expect(keyTypeOf(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey)).toBe('ecdsa-secp384r1');
    expect(keyTypeOf(generateKeyPairSync('ed25519').publicKey)).toBe('ed25519');
  });

  test.each([
    ['P-384', 'SHA-384'],
    ['P-521', 'SHA-512'],
  ] as const)('on %s signs with the hash of its size', async (namedCurve, hash) => {
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: 'CN=etcd-ca',
        keys,
        signingAlgorithm: { name: 'ECDSA', hash },
        notBefore: TODAY,
        notAfter: daysFromToday(1000),
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      webcrypto,
    );
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    const keyPem = new Secret(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`);
    const read = readAuthority({ certificatePem: certificate.toString('pem'), keyPem }, TODAY);
    const issued = await issueCertificate(read, SERVER_PROFILE, circumstancesAt(TODAY));
    const leaf = new x509.X509Certificate(issued.certificatePem);
    expect(leaf.signatureAlgorithm).toMatchObject({ name: 'ECDSA', hash: { name: hash } });
    // This authority has no key identifier of its own: one is made of its key.
    const own = await x509.SubjectKeyIdentifierExtension.create(certificate.publicKey, false, webcrypto);
    expect(leaf.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(own.keyId);
  });

  test('that is of another kind than its certificate’s is refused, and one of no kind that signs', async () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const keyPem = new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());
    expect(() => readAuthority({ certificatePem: authority.certificatePem, keyPem }, TODAY)).toThrow(
      /key: is rsa-1024; ECDSA on P-256[^]*key: is not the key of this certificate/,
    );
    const two = authority.certificatePem + authority.certificatePem;
    expect(() => readAuthority({ ...authority, certificatePem: two }, TODAY)).toThrow('holds 2 PEM certificates');
    const damaged = authority.certificatePem.replace(/^(-----BEGIN.*\n).{8}/, '$1AAAAAAAA');
    expect(() => readAuthority({ ...authority, certificatePem: damaged }, TODAY)).toThrow('is damaged');
  });
});

describe('what is signed', () => {
  const extensionsOf = (pem: string): readonly string[] =>
    new x509.X509Certificate(pem).extensions.map(({ type, critical }) => `${type}${critical ? ' critical' : ''}`);

  test('has the extensions of its kind, the same for authority and leaf each time', async () => {
    const { certificatePem } = await issueCertificate(authority, SERVER_PROFILE, circumstancesAt(TODAY));
    // basicConstraints, keyUsage, extKeyUsage, subjectKeyIdentifier, authorityKeyIdentifier, subjectAltName.
    expect(extensionsOf(certificatePem)).toEqual([
      '2.5.29.19 critical',
      '2.5.29.15 critical',
      '2.5.29.37',
      '2.5.29.14',
      '2.5.29.35',
      '2.5.29.17',
    ]);
    expect(extensionsOf(authority.certificatePem)).toEqual([
      '2.5.29.19 critical',
      '2.5.29.15 critical',
      '2.5.29.14',
      '2.5.29.35',
    ]);
    const [leaf, signer] = [certificatePem, authority.certificatePem].map((pem) => new x509.X509Certificate(pem));
    const signerId = signer?.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
    expect(leaf?.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(signerId);
    expect(leaf?.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).not.toBe(signerId);
    expect(signer?.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(signerId);
  });

  test('has neither usages nor names where none are wanted', async () => {
    const profile = { ...SERVER_PROFILE, usages: [], dnsNames: [], ipAddresses: [] };
    const { certificatePem } = await issueCertificate(authority, profile, circumstancesAt(TODAY));
    expect(extensionsOf(certificatePem)).toEqual([
      '2.5.29.19 critical',
      '2.5.29.15 critical',
      '2.5.29.14',
      '2.5.29.35',
    ]);
  });

  test('names both usages and further ones, and a subject that is kept as it was', async () => {
    const profile = {
      ...SERVER_PROFILE,
      furtherUsages: ['1.2.3'],
      commonName: 'a',
      organizations: ['o'],
      subject: ['C=US', 'O=o', 'CN=a', 'emailAddress=a@b.c'],
    };
    const { certificatePem } = await issueCertificate(authority, profile, circumstancesAt(TODAY));
    const leaf = new x509.X509Certificate(certificatePem);
    expect(leaf.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([
      '1.3.6.1.5.5.7.3.1',
      '1.3.6.1.5.5.7.3.2',
      '1.2.3',
    ]);
    expect(new X509Certificate(certificatePem).subject).toBe('C=US\nO=o\nCN=a\nemailAddress=a@b.c');
  });

  test('by an authority of RSA is signed by RSA', async () => {
    const signer = await makeAuthority({ commonName: 'x', days: 10, keyType: 'rsa-2048' }, circumstancesAt(TODAY));
    const { certificatePem, keyPem } = await issueCertificate(signer, SERVER_PROFILE, circumstancesAt(TODAY));
    const leaf = new X509Certificate(certificatePem);
    expect(leaf.verify(new X509Certificate(signer.certificatePem).publicKey)).toBe(true);
    expect(keyPem?.reveal()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(publicKeyText(leaf.publicKey)).not.toBe(publicKeyText(new X509Certificate(signer.certificatePem).publicKey));
  });
});

describe('what is encrypted', () => {
  const passphrase = new Secret('correct horse');

  test('opens with its passphrase alone, and says which file does not', async () => {
    const text = await encryptSecret(new Secret('the key\n'), passphrase, 4);
    expect((await decryptSecret(text, passphrase, 'x.age')).reveal()).toBe('the key\n');
    await expect(decryptSecret(text, new Secret('other'), 'x.age')).rejects.toMatchObject({
      code: 'wrong-passphrase',
      message: 'wrong passphrase for x.age',
    });
    await expect(decryptSecret('nonsense', passphrase, 'x.age')).rejects.toMatchObject({
      code: 'encrypted-file-damaged',
      message: 'x.age is not a complete age file',
    });
    expect(text).not.toContain('the key');
    expect(text).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
  });

  test('takes about a second to try: 2^18, as age itself', () => {
    expect(SCRYPT_LOG_N).toBe(18);
  });
});

describe('a password that is made up', () => {
  let directory: string;
  beforeEach(async () => {
    directory = temporaryDirectory('password');
  });

  /** Random bytes that are counted up, from there on. */
  const from = (first: number) => {
    let next = first;
    return (count: number): Uint8Array => Uint8Array.from({ length: count }, () => next++ % 256);
  };
  const made = async (first: number): Promise<string> =>
    (await openGeneratedSecret(join(directory, 'password'), from(first))).value().reveal();

  test.each([
    [0, 'ABCDEFGH'],
    [26, 'abcdefgh'],
    [52, '01234567'],
    [60, '89ABCDEF'],
    [240, '23456789'],
    // 248 to 255 would make the first eight characters likelier than the others: they are drawn again.
    [247, '9ABCDEFG'],
    [248, 'ABCDEFGH'],
    [252, 'ABCDEFGH'],
  ])('from bytes that begin with %i is %s: every character as likely as any other', async (first, expected) => {
    expect(await made(first)).toBe(expected);
  });

  test('is written once, with a line end, and not again', async () => {
    const path = join(directory, 'password');
    const secret = await openGeneratedSecret(path, from(0));
    expect([secret.isKept(), secret.value().reveal()]).toEqual([false, 'ABCDEFGH']);
    await secret.keep();
    await secret.keep();
    expect(await readFile(path, 'utf8')).toBe('ABCDEFGH\n');
    const again = await openGeneratedSecret(path, from(9));
    expect([again.isKept(), again.value().reveal()]).toEqual([true, 'ABCDEFGH']);
    await again.keep();
  });
});
