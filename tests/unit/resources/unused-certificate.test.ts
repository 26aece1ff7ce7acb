import { expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { unusedCertificate } from '../../../src/resources/unused-certificate.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const PATH = '/etc/haproxy/etcd-server.pem';
const FILE = { kind: 'file', owner: 'root', group: 'root', mode: '0600', changedAt: 0, sha256: 'ab'.repeat(32) };

/** What is done where the host has this at the path. */
async function outcomeFor(state: object, signer: 'own' | 'other' | 'none' = 'none'): Promise<string> {
  const [own, other] = [await authorityFrom(TODAY), await authorityFrom(TODAY)];
  const { certificatePem } = await issueCertificate(
    signer === 'own' ? own : other,
    SERVER_PROFILE,
    circumstancesAt(TODAY),
  );
  const authority = { certificate: () => own.certificatePem, trustBundle: () => own.certificatePem };
  const files = { certificate: undefined, key: undefined, publicKey: { kind: 'unchecked' } };
  const probe = fakeProbe({
    'file-states': { [PATH]: state },
    'certificate-files': {
      [certificateFilesKey(PATH, PATH)]: { ...files, pem: signer === 'none' ? '' : certificatePem },
    },
  });
  const outcome = await unusedCertificate(PATH, { authority, now: TODAY, renewBeforeDays: 30 }).plan(probe);
  return outcome.kind === 'change' ? outcome.change.summary : outcome.kind;
}

test.each([
  ['what our authority signed goes', FILE, 'own', `remove ${PATH}`],
  ['what another one signed stays', FILE, 'other', 'unchanged'],
  ['what is no certificate stays', FILE, 'none', 'unchanged'],
  ['a directory stays', { ...FILE, kind: 'directory', sha256: undefined }, 'none', 'unchanged'],
  ['nothing is there', { kind: 'absent' }, 'none', 'unchanged'],
] as const)('%s', async (_, state, signer, expected) => {
  expect(await outcomeFor(state, signer)).toBe(expected);
});
