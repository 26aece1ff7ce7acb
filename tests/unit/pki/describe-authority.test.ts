import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { describeAuthority } from '../../../src/pki/describe-authority.js';
import { authorityFrom, daysFromToday, TODAY } from '../../support/test-authority.js';

function described(bundle: string | undefined, now = TODAY, isExternal = false): string {
  const authority = { certificate: () => bundle, trustBundle: () => bundle, isExternal: () => isExternal };
  return describeAuthority({ authority, directory: '/srv/pki' }, now);
}

test('an authority is described by its public parts', async () => {
  const { certificatePem } = await authorityFrom(TODAY, 100);
  const text = described(certificatePem);
  expect(text).toMatch(/^store: +\/srv\/pki\nsubject: +CN=etcd-ca\nkey: +ecdsa-p256\nserial: +[0-9a-f]+\nSHA-256: /);
  const { serialNumber, fingerprint256 } = new X509Certificate(certificatePem);
  expect(text).toContain(`serial:       ${serialNumber.toLowerCase()}\nSHA-256:      ${fingerprint256}\n`);
  expect(text).toContain('2027-03-01T12:00:00.000Z (in 100 days)');
  expect(described(certificatePem, daysFromToday(101))).toContain('(EXPIRED)');
});

test('an external key is named, with what follows from it', async () => {
  const { certificatePem } = await authorityFrom(TODAY);
  expect(described(certificatePem, TODAY, true)).toMatch(/^private key: +external: .*provision ca request/m);
  expect(described(certificatePem)).not.toContain('external');
});

test('what is trusted besides is counted', async () => {
  const [own, other] = [await authorityFrom(TODAY), await authorityFrom(TODAY)];
  expect(described(own.certificatePem + other.certificatePem)).toMatch(/also trusted: +1 more, in ca\.crt\n$/);
});

test('an authority that is missing is no empty answer', () => {
  expect(() => described(undefined)).toThrow(
    expect.objectContaining({
      code: 'authority-missing',
      message: 'there is no certificate authority in /srv/pki',
    }),
  );
});

test('both authorities of a rotation are named, with what the store has hosts do', async () => {
  const old = (await authorityFrom(TODAY)).certificatePem;
  const next = (await authorityFrom(TODAY, 3000, 'rsa-2048')).certificatePem;
  const rotation = { old, new: next, others: [], signing: 'old', trusted: 'both' } as const;
  const authority = { certificate: () => old, trustBundle: () => old + next };
  const shown = (is: object): string =>
    describeAuthority(
      { authority: { ...authority, rotation: () => ({ ...rotation, ...is }) }, directory: '/srv' },
      TODAY,
    );
  expect(shown({})).toMatch(/^rotation: +from CN=etcd-ca to CN=etcd-ca: the old one signs, hosts are to trust both$/m);
  expect(shown({ signing: 'new', trusted: 'new' })).toMatch(
    /the new one signs, hosts are to trust the new one alone$/m,
  );
});
