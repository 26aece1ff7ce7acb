import { beforeAll, describe, expect, test } from '@jest/globals';
import { certificateFilesKey, type CertificateFiles } from '../../../src/facts/certificate-files.js';
import type { Outcome } from '../../../src/model/change.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { sameAuthority } from '../../../src/resources/same-authority.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const stacked = { ...sampleMember(3), manifest: '/etc/kubernetes/manifests/etcd.yaml' };
let [own, other]: readonly SigningAuthority[] = [];
let [ownLeaf, otherLeaf] = ['', ''];

beforeAll(async () => {
  const made = await Promise.all([authorityFrom(TODAY, 3650), authorityFrom(TODAY, 3650)]);
  [own, other] = made;
  [ownLeaf = '', otherLeaf = ''] = await Promise.all(
    made.map(async (each) => (await issueCertificate(each, SERVER_PROFILE, circumstancesAt(TODAY))).certificatePem),
  );
});

function pem(text: string): CertificateFiles {
  return { certificate: undefined, key: undefined, pem: text, publicKey: { kind: 'unchecked' } };
}

async function plan(trusted: string, shown: string, away = false): Promise<Outcome> {
  const answers: FakeAnswers = {
    'certificate-files': {
      [certificateFilesKey(stacked.client.ca)]: pem(trusted),
      [certificateFilesKey(stacked.server.certificate)]: pem(shown),
    },
  };
  const probe = fakeProbes({ 'etcd-1': {}, 'etcd-3': away ? UNREACHABLE : answers }).get('etcd-1');
  const authority = { certificate: () => own?.certificatePem, trustBundle: () => own?.certificatePem };
  if (probe === undefined) throw new Error('no probe');
  return sameAuthority([...SAMPLE_CLUSTER.members.slice(0, 1), stacked], authority, '/store').plan(probe);
}

describe('the authority of members that join a stacked etcd', () => {
  test('is the one that this trusts, and that signed its certificate', async () => {
    expect(await plan(own?.certificatePem ?? '', ownLeaf)).toEqual({ kind: 'unchanged' });
    expect(await plan(`${other?.certificatePem}${own?.certificatePem}`, ownLeaf)).toEqual({ kind: 'unchanged' });
  });

  test.each([
    ['is another one', () => other?.certificatePem ?? '', () => otherLeaf, 'ca.crt does not trust'],
    ['signed nothing there: it shows nothing', () => own?.certificatePem ?? '', () => '', 'did not sign'],
    ['is trusted by nobody there', () => '', () => ownLeaf, 'ca.crt does not trust'],
    ['signed nothing there', () => own?.certificatePem ?? '', () => otherLeaf, 'did not sign /etc/etcd/pki/server.crt'],
  ])('is refused where it %s', async (_, trusted, shown, why) => {
    await expect(plan(trusted(), shown())).rejects.toMatchObject({
      code: 'foreign-trust',
      message: expect.stringContaining(why),
      hint: expect.stringContaining('provision ca import /store --certificate FILE --key FILE'),
    });
  });

  test('is not asked of one that can not be, or has left for good', async () => {
    expect(await plan('', '')).toEqual({ kind: 'unchanged' });
    expect(await plan('', '', true)).toEqual({ kind: 'unchanged' });
  });
});
