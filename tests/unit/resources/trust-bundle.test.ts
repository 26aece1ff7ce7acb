import { beforeAll, describe, expect, test } from '@jest/globals';
import { type CertificateFiles, certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { Outcome } from '../../../src/model/change.js';
import type { Policy, WantedTrust } from '../../../src/pki/certificate-list.js';
import { trustBundleResource } from '../../../src/resources/trust-bundle.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { authorityFrom, TODAY } from '../../support/test-authority.js';

const PATH = '/etc/etcd/pki/ca.crt';
const OWNERSHIP = { owner: 'root', group: 'root', mode: '0644' };
const INSTALL = { kind: 'install-trust', path: PATH, ...OWNERSHIP };

let own: string;
let other: string;

beforeAll(async () => {
  own = (await authorityFrom(TODAY)).certificatePem;
  other = (await authorityFrom(TODAY)).certificatePem;
});

function host(pem: string, certificate: CertificateFiles['certificate'] = OWNERSHIP): CertificateFiles {
  return { certificate, key: undefined, pem, publicKey: { kind: 'unchecked' } };
}

function decide(
  files: CertificateFiles,
  bundle: string | undefined,
  policy: Policy = 'exact',
  more: Pick<WantedTrust, 'verifiesClients'> = {},
): Promise<Outcome> {
  const view = { certificate: () => bundle, trustBundle: () => bundle };
  const resource = trustBundleResource({ path: PATH, ownership: OWNERSHIP, policy, ...more }, view);
  return resource.plan(fakeProbe({ 'certificate-files': { [certificateFilesKey(PATH)]: files } }));
}

describe('trustBundleResource', () => {
  test('the same certificates in another order and spacing are the same', async () => {
    expect(await decide(host(`${own}\n\n${other}`), other + own)).toEqual({ kind: 'unchanged' });
  });

  test('a missing one is installed, and reads the same before the authority is made', async () => {
    const missing: CertificateFiles = {
      certificate: undefined,
      key: undefined,
      pem: '',
      publicKey: { kind: 'unchecked' },
    };
    const outcome = await decide(missing, own);
    expect(outcome).toEqual({
      kind: 'change',
      change: {
        summary: `install the trust bundle ${PATH}`,
        diff: ["+ this cluster's authority, root:root 0644"],
        actions: [INSTALL],
        effect: 'create',
        disruptive: false,
      },
    });
    expect(await decide(missing, undefined)).toEqual(outcome);
  });

  test('another authority is replaced, and named', async () => {
    const outcome = await decide(host(other), own);
    expect(outcome).toMatchObject({
      change: {
        summary: `replace the trust bundle ${PATH}`,
        diff: [
          expect.stringMatching(/^- CN=etcd-ca, until 2036-11-18, SHA-256 ([0-9A-F]{2}:){7}[0-9A-F]{2}…$/),
          expect.any(String),
        ],
        actions: [INSTALL],
      },
    });
    expect(await decide(host(other), undefined)).toEqual(outcome);
  });

  test('what verifies clients and loses an authority is felt: those of it are refused, also whom nobody here knows', async () => {
    const felt = async (pem: string, bundle: string, verifiesClients?: true): Promise<unknown> => {
      const outcome = await decide(host(pem), bundle, 'exact', { ...(verifiesClients && { verifiesClients }) });
      return outcome.kind === 'change' ? outcome.change.disruptive : outcome.kind;
    };
    expect([await felt(own + other, own, true), await felt(other, own, true)]).toEqual([true, true]);
    expect([await felt(own, own + other, true), await felt(own + other, own)]).toEqual([false, false]);
  });

  test('one certificate too many is replaced', async () => {
    const each = expect.stringMatching(/^- CN=etcd-ca, until /);
    expect(await decide(host(own + other), own)).toMatchObject({
      change: { diff: [each, each, "+ this cluster's authority, root:root 0644"] },
    });
  });

  test('a wrong owner or mode is reported', async () => {
    const outcome = await decide(host(own, { ...OWNERSHIP, mode: '0600' }), own);
    expect(outcome).toMatchObject({ change: { diff: ['- root:root 0600', expect.stringContaining('0644')] } });
  });

  test.each([
    ['nothing', '', '- no certificate'],
    ['damage', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', '- a certificate that cannot be read'],
  ])('a file that holds %s is replaced', async (_, pem, line) => {
    expect(await decide(host(pem), own)).toMatchObject({ change: { diff: [line, expect.any(String)] } });
  });

  test('one that another tool wrote may hold further authorities, and keeps its owner', async () => {
    const found = host(own + other, { owner: 'etcd', group: 'etcd', mode: '0600' });
    expect(await decide(found, own, 'at-least')).toEqual({ kind: 'unchanged' });
  });

  test('one that another tool wrote without this authority is refused, not replaced', async () => {
    await expect(decide(host(other), own, 'at-least')).rejects.toMatchObject({ code: 'foreign-trust' });
    expect(await decide({ ...host(''), certificate: undefined }, own, 'at-least')).toMatchObject({ kind: 'change' });
  });
});
