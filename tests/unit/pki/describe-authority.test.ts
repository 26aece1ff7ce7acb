import { expect, test } from '@jest/globals';
import { describeAuthority } from '../../../src/pki/describe-authority.js';
import { authorityFrom, daysFromToday, TODAY } from '../../support/test-authority.js';

function described(bundle: string | undefined, now = TODAY, isExternal = false): string {
  const authority = { certificate: () => bundle, trustBundle: () => bundle, isExternal: () => isExternal };
  return describeAuthority({ authority, directory: '/srv/pki' }, now);
}

test('an authority is told by its public parts', async () => {
  const { certificatePem } = await authorityFrom(TODAY, 100);
  const text = described(certificatePem);
  expect(text).toMatch(/^store: +\/srv\/pki\nsubject: +CN=etcd-ca\nkey: +ecdsa-p256\nserial: +[0-9a-f]+\nSHA-256: /);
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
  expect(() => described(undefined)).toThrow('there is no certificate authority in /srv/pki');
});
