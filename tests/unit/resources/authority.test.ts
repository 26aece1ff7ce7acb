import { expect, test } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { authorityResource } from '../../../src/resources/authority.js';
import { authPassResource } from '../../../src/resources/generated-secret.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { authorityFrom, daysFromToday, TODAY } from '../../support/test-authority.js';

const PROFILE = { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' } as const;

function decide(certificate: string | undefined, now = TODAY) {
  const view = { certificate: () => certificate, trustBundle: () => certificate };
  return authorityResource(PROFILE, view, { store: 'pki', now }).plan(fakeProbe({}));
}

test('an authority that is missing is made, on the control machine', async () => {
  expect(await decide(undefined)).toEqual({
    kind: 'change',
    change: {
      summary: 'create the certificate authority in pki, on this machine',
      diff: [
        '+ CN=etcd-ca, ecdsa-p256, 3650 days',
        '+ its key is encrypted with a passphrase, and never leaves this machine',
      ],
      actions: [{ kind: 'create-authority', profile: PROFILE }],
      disruptive: false,
    },
  });
});

test('an authority that is there is left alone, also one of another kind that was brought in', async () => {
  expect(await decide((await authorityFrom(TODAY, 100, 'rsa-2048')).certificatePem)).toEqual({ kind: 'unchanged' });
});

test('an expired authority makes the plan unsafe', async () => {
  const { certificatePem } = await authorityFrom(TODAY, 10);
  await expect(decide(certificatePem, daysFromToday(11))).rejects.toMatchObject({ code: 'authority-unusable' });
});

test.each([
  ['valid only from tomorrow', async () => (await authorityFrom(daysFromToday(1))).certificatePem],
  ['unreadable', () => Promise.resolve('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n')],
  ['empty', () => Promise.resolve('')],
])('an authority that is %s makes the plan unsafe: no new one is planned in its place', async (_, certificate) => {
  await expect(decide(await certificate())).rejects.toMatchObject({ code: 'authority-unusable' });
});

test("keepalived's generated password is kept once, and not shown", async () => {
  const secret = { value: () => new Secret('planted8'), isKept: () => false };
  const outcome = await authPassResource(secret, 'pki').plan(fakeProbe({}));
  expect(outcome).toMatchObject({ change: { actions: [{ kind: 'keep-secret', name: 'keepalived-auth-pass' }] } });
  expect(JSON.stringify(outcome)).not.toContain('planted8');
  expect(await authPassResource({ isKept: () => true }, 'pki').plan(fakeProbe({}))).toEqual({ kind: 'unchanged' });
});
