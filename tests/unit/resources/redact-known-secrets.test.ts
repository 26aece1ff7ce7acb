import { describe, expect, test } from '@jest/globals';
import { MarkedText } from '../../../src/model/marked-text.js';
import { Secret } from '../../../src/model/secret.js';
import { redactKnownSecrets, withMarkedKeys } from '../../../src/resources/redact-known-secrets.js';

const KEY = '[redacted private key]';
const pem = (kind: string): string => `-----BEGIN ${kind}-----\nplanted\nplanted\n-----END ${kind}-----`;

describe('what is redacted wherever it stands', () => {
  test.each([
    ...['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'].map(
      (kind) => [`a\n${pem(kind)}\nb`, `a\n${KEY}\nb`],
    ),
    ['-----BEGIN PGP PRIVATE KEY BLOCK-----\nplanted\n-----END PGP PRIVATE KEY BLOCK-----\nb', `${KEY}\nb`],
    [`a\n-----BEGIN PRIVATE KEY-----\nplanted\nno end`, `a\n${KEY}`],
    [`${pem('PRIVATE KEY')}\nbetween\n${pem('RSA PRIVATE KEY')}`, `${KEY}\nbetween\n${KEY}`],
    [`key: ${Buffer.from(pem('EC PRIVATE KEY')).toString('base64')} end`, `key: ${KEY} end`],
    [
      ['EC', 'RSA'].map((kind) => Buffer.from(pem(`${kind} PRIVATE KEY`)).toString('base64')).join('\nb: '),
      `${KEY}\nb: ${KEY}`,
    ],
    ['AGE-SECRET-KEY-1PLANTED9 AGE-SECRET-KEY-PQ-1PLANTED', `${KEY} ${KEY}`],
    ['  auth_pass planted words\nauth_pass x', '  auth_pass [redacted]\nauth_pass [redacted]'],
    ['  stats auth admin:planted here', '  stats auth admin:[redacted] here'],
    ['user a insecure-password planted groups g', 'user a insecure-password [redacted] groups g'],
    ['user a password planted groups g', 'user a password [redacted] groups g'],
    ['PASSWORD=planted', 'PASSWORD=[redacted]'],
    ['db_passwd: planted words', 'db_passwd: [redacted]'],
    ['"Passphrase" = "planted"', '"Passphrase" = [redacted]'],
  ])('%j', (text, expected) => {
    expect(redactKnownSecrets(text)).toBe(expected);
    expect(redactKnownSecrets(text)).not.toContain('planted');
  });
});

describe('what stays', () => {
  test.each([
    pem('CERTIFICATE'),
    pem('PUBLIC KEY'),
    `certificate: ${Buffer.from(pem('CERTIFICATE')).toString('base64')}`,
    'age1publickey',
    'my_auth_pass_word is no directive of keepalived',
    'bypass words',
    'passwordless logins',
    'auth_pass',
    'see auth_pass below',
    'no stats auth user:word here',
  ])('%j', (text) => {
    expect(redactKnownSecrets(text)).toBe(text);
  });
});

describe('keys that are marked', () => {
  const encoded = Buffer.from(pem('EC PRIVATE KEY')).toString('base64');
  const certificate = Buffer.from('-----BEGIN CERTIFICATE-----\nx').toString('base64');

  test.each([
    [`a\n${pem('PRIVATE KEY')}\nb\n`, 'a\n[redacted]\nb\n'],
    [`x: ${encoded}\ny: ${certificate}\n`, `x: [redacted]\ny: ${certificate}\n`],
    [`AGE-SECRET-KEY-1PLANTED9\n${pem('RSA PRIVATE KEY')}`, '[redacted]\n[redacted]'],
    ['auth_pass planted', 'auth_pass planted'],
    ['', ''],
  ])('%j', (text, redacted) => {
    const marked = withMarkedKeys(new MarkedText([text]));
    expect([marked.redacted, marked.reveal()]).toEqual([redacted, text]);
  });

  test('are marked beside what is marked already', () => {
    const marked = withMarkedKeys(new MarkedText(['a ', new Secret('s'), ` ${pem('PRIVATE KEY')}`]));
    expect(marked.redacted).toBe('a [redacted] [redacted]');
    expect(marked.reveal()).toBe(`a s ${pem('PRIVATE KEY')}`);
  });
});
