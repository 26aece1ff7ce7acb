import { describe, expect, test } from '@jest/globals';
import { readOpenPgpKeys, type OpenPgpKeys } from '../../../src/resources/openpgp-key.js';

/** Made with `gpg --quick-generate-key "good <good@example.com>" ed25519 sign`; its private key is nowhere. */
const ARMORED = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawklkxYJKwYBBAHaRw8BAQdABJ2i1JlvR4WA8Q9rZIpHFSdfCsYoOqf6oPje
KjsT1Le0F2dvb2QgPGdvb2RAZXhhbXBsZS5jb20+iJAEExYIADgWIQRBA3yxq4eF
/xZd0seDv4zxpL+hMQUCawklkwIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRCDv4zxpL+hMU4jAP956Jcpi212vdgnOTMdyrq7nW27MKLNpKb0+aOka8Z1JgEA
ozRQiJYwleEi9VIgkGg9yuPYizy+kI5jBzmZ38Rk3gA=
=da2D
-----END PGP PUBLIC KEY BLOCK-----
`;
const FINGERPRINT = '41037CB1AB8785FF165DD2C783BF8CF1A4BFA131';
const BINARY = Buffer.from(
  ARMORED.split('\n')
    .filter((line) => /^[A-Za-z0-9+/]/.test(line))
    .join(''),
  'base64',
);

function keys(bytes: Buffer | string): OpenPgpKeys {
  const found = readOpenPgpKeys(Buffer.from(bytes));
  if (typeof found === 'string') throw new Error(found);
  return found;
}

/** With a length of the new form. */
function packet(type: number, body: Buffer): Buffer {
  const length =
    body.length < 192
      ? [body.length]
      : body.length < 8384
        ? [((body.length - 192) >> 8) + 192, (body.length - 192) & 0xff]
        : [255, 0, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff];
  return Buffer.concat([Buffer.from([0xc0 | type, ...length]), body]);
}

test('a key is read armored or binary, and armored again as it was', () => {
  expect(keys(ARMORED)).toEqual({ fingerprints: [FINGERPRINT], armor: ARMORED.trimEnd().split('\n') });
  expect(keys(BINARY)).toEqual(keys(ARMORED));
  expect(keys(ARMORED.replaceAll('\n', '\r\n'))).toEqual(keys(ARMORED));
  expect(keys(ARMORED.replace('BLOCK-----\n', 'BLOCK-----\nComment: of nobody\n'))).toEqual(keys(ARMORED));
  expect(keys(ARMORED.replace('=da2D\n', ''))).toEqual(keys(ARMORED));
});

test('several keys are one list, from blocks or from one file', () => {
  const two = Buffer.concat([BINARY, BINARY]);
  expect(keys(`${ARMORED}${ARMORED}`)).toEqual(keys(two));
  expect(keys(two).fingerprints).toEqual([FINGERPRINT, FINGERPRINT]);
});

test.each([100, 300, 9000])('lengths of all forms, with a body of %d bytes', (size) => {
  const found = keys(Buffer.concat([BINARY, packet(13, Buffer.alloc(size)), packet(14, Buffer.from([4]))]));
  expect(found.fingerprints).toEqual([FINGERPRINT]);
});

test.each(Array.from({ length: 22 }, (_, type) => type))(
  'a packet of type %i stands in a key, or makes it none',
  (type) => {
    const found = readOpenPgpKeys(Buffer.concat([BINARY, packet(type, Buffer.from([4, 1, 2]))]));
    // RFC 9580, 5: what a public key is exported with. 6 is another key; 5 and 7 are private ones.
    if ([2, 12, 13, 14, 17, 21].includes(type)) expect(found).toMatchObject({ fingerprints: [FINGERPRINT] });
    else if (type === 6) expect(found).toMatchObject({ fingerprints: [FINGERPRINT, expect.any(String)] });
    else expect(found).toMatch(type === 5 || type === 7 ? 'holds a private key' : 'is no OpenPGP key');
  },
);

test('a key of version 6 has a fingerprint of its own', () => {
  expect(keys(packet(6, Buffer.from([6, 1, 2, 3]))).fingerprints[0]).toMatch(/^[0-9A-F]{64}$/);
});

describe('what is refused', () => {
  const damaged = Buffer.from(BINARY);
  const other = (text: string): string => ARMORED.replace('mDMEawklkxYJ', text);
  test.each([
    ['nothing', '', 'is no OpenPGP key'],
    ['a text', 'hello', 'is no OpenPGP key'],
    ['a page of a web server', '<!DOCTYPE html><html></html>', 'is no OpenPGP key'],
    ['a block without an end', ARMORED.slice(0, 200), 'has an armored key that is cut off'],
    ['an armored key with another letter', other('mDMEawklkxYK'), 'is damaged: its checksum differs'],
    [
      'a private key, armored',
      ARMORED.replaceAll('PUBLIC KEY', 'PRIVATE KEY'),
      'holds a PRIVATE KEY BLOCK; expected a PUBLIC KEY BLOCK',
    ],
    ['a signature', ARMORED.replaceAll('PUBLIC KEY BLOCK', 'SIGNATURE'), 'holds a SIGNATURE; expected'],
    ['a private key', packet(5, Buffer.from([4, 1])), 'holds a private key, which no host must get'],
    ['a private subkey', Buffer.concat([BINARY, packet(7, Buffer.from([4]))]), 'holds a private key'],
    ['a key that is cut off', damaged.subarray(0, damaged.length - 1), 'is damaged: a part of the key is cut off'],
    ['what follows a key', Buffer.concat([BINARY, Buffer.from([1])]), 'is damaged'],
    ['a length of its end', Buffer.from([0xc6, 0xff, 0, 0]), 'is no OpenPGP key'],
    ['a length of a part', Buffer.from([0xc6, 0xe1, 4]), 'is no OpenPGP key'],
    ['a length of no form', Buffer.from([0x9b, 4]), 'is no OpenPGP key'],
    ['a message', packet(11, Buffer.from('text')), 'is no OpenPGP key'],
    ['a name before any key', packet(13, Buffer.from('name')), 'is no OpenPGP key'],
    ['a message after a key', Buffer.concat([BINARY, packet(11, Buffer.from('text'))]), 'is no OpenPGP key'],
    ['a key of version 3', packet(6, Buffer.from([3, 1])), 'holds a key of an old or unknown version'],
  ])('%s', (_, bytes, why) => {
    expect(readOpenPgpKeys(Buffer.from(bytes))).toEqual(expect.stringContaining(why));
  });
});
