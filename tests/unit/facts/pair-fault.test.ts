import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import type { CertificateFiles } from '../../../src/facts/certificate-files.js';
import { pairFault } from '../../../src/facts/pair-fault.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, daysFromToday, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const [CRT, KEY] = ['/pki/server.crt', '/pki/server.key'];
const STAT = { owner: 'etcd', group: 'etcd', mode: '0600' };
const BEGIN = new Date('2026-11-21T11:55:00Z');
const END = daysFromToday(365);

let sound: CertificateFiles;
let other: string;
beforeAll(async () => {
  const { certificatePem, keyPem } = await issueCertificate(
    await authorityFrom(daysFromToday(-1)),
    SERVER_PROFILE,
    circumstancesAt(TODAY),
  );
  const pem = createPublicKey(createPrivateKey(keyPem?.reveal() ?? ''))
    .export({ type: 'spki', format: 'pem' })
    .toString();
  sound = { certificate: STAT, key: STAT, pem: certificatePem, publicKey: { kind: 'known', pem } };
  other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
});

test.each<[string, () => Partial<CertificateFiles>, string | undefined]>([
  ['nothing is wrong', () => ({}), undefined],
  ['its key was not looked at', () => ({ publicKey: { kind: 'unchecked' } }), undefined],
  ['there is no certificate', () => ({ certificate: undefined, key: undefined }), 'has no /pki/server.crt'],
  ['there is no key', () => ({ key: undefined, publicKey: { kind: 'unreadable' } }), 'has no /pki/server.key'],
  ['its key is damaged', () => ({ publicKey: { kind: 'unreadable' } }), 'has no readable key in /pki/server.key'],
  ['its certificate is damaged', () => ({ pem: 'nonsense' }), 'has no readable certificate in /pki/server.crt'],
  [
    'its key is another one',
    () => ({ publicKey: { kind: 'known', pem: other } }),
    'has a key in /pki/server.key that does not match /pki/server.crt',
  ],
])('a pair of which %s: %#', (_, change, fault) => {
  expect(pairFault([CRT, KEY], { ...sound, ...change() }, TODAY)).toBe(fault);
});

test.each([
  [new Date(BEGIN.getTime() - 1000), 'has /pki/server.crt, which is valid only from 2026-11-21'],
  [BEGIN, undefined],
  [new Date(END.getTime() - 1000), undefined],
  [END, 'has /pki/server.crt, which expired on 2027-11-21'],
])('its life is counted to the second: at %p %s', (now, fault) => {
  expect(pairFault([CRT, KEY], sound, now)).toBe(fault);
});
