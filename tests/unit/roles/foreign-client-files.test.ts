// kubeadm's files for an external etcd that somebody else filled: guarded like every other file that is taken over.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { USUAL_CLIENT_FILES as FILES } from '../../../src/facts/apiserver-manifest.js';
import { type CertificateFiles, certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { Outcome } from '../../../src/model/change.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { kubeApiserverFilesRole } from '../../../src/roles/kube-apiserver/role.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const STAT = { owner: 'root', group: 'root', mode: '0600' };
const NOTHING: CertificateFiles = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };

let ours: SigningAuthority;
let theirs: SigningAuthority;
beforeAll(async () => {
  [ours, theirs] = [await authorityFrom(TODAY), await authorityFrom(TODAY)];
});

const trusting = (...authorities: readonly SigningAuthority[]): CertificateFiles => ({
  ...NOTHING,
  certificate: { ...STAT, mode: '0644' },
  pem: authorities.map(({ certificatePem }) => certificatePem).join(''),
});

async function pairFrom(signer: SigningAuthority): Promise<CertificateFiles> {
  const { certificatePem } = await issueCertificate(
    signer,
    { ...SERVER_PROFILE, usages: ['client'] },
    circumstancesAt(TODAY),
  );
  return { certificate: STAT, key: STAT, pem: certificatePem, publicKey: { kind: 'unchecked' } };
}

interface Found {
  readonly ca?: CertificateFiles;
  readonly pair?: CertificateFiles;
  /** `provision_replace_files`. */
  readonly replace?: readonly string[];
  /** What is in the store. */
  readonly authority?: SigningAuthority | undefined;
}

/** What the role decides about the trust bundle, and about the pair. */
async function decide({
  ca = NOTHING,
  pair = NOTHING,
  replace = [],
  ...given
}: Found): Promise<readonly PromiseSettledResult<Outcome>[]> {
  const pem = ('authority' in given ? given.authority : ours)?.certificatePem;
  const tools = {
    ...ROLE_TOOLS,
    now: TODAY,
    pki: { ...ROLE_TOOLS.pki, authority: { certificate: () => pem, trustBundle: () => pem } },
  };
  const controlPlanes = SAMPLE_CLUSTER.controlPlanes.map((each) => ({ ...each, replaceFiles: replace }));
  const [host = ''] = controlPlanes.map((each) => each.host);
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes };
  const [, ...resources] = kubeApiserverFilesRole(tools).resources(namedHost(host), templateInventory([host]), cluster);
  const probe = fakeProbe({
    'file-contents': { [controlPlanes[0]?.manifest ?? '']: undefined },
    'certificate-files': {
      [certificateFilesKey(FILES.ca)]: ca,
      [certificateFilesKey(FILES.certificate, FILES.key)]: pair,
    },
  });
  return Promise.allSettled(resources.map((resource) => resource.plan(probe)));
}

const refused = (path: string) => ({
  status: 'rejected',
  reason: {
    code: 'file-not-ours',
    message: expect.stringContaining(`${path} (`),
    hint: expect.stringMatching(
      RegExp(`provision ca import STORE --certificate FILE --key FILE[^]*provision_replace_files: \\['${path}'\\]`),
    ),
  },
});
const change = (summary: unknown, disruptive: boolean) => ({
  status: 'fulfilled',
  value: { kind: 'change', change: { summary, disruptive } },
});

describe('files of an external etcd', () => {
  test('that are missing are made', async () => {
    const outcomes = await decide({});
    expect(outcomes).toMatchObject([
      change(expect.stringContaining('install the trust bundle'), false),
      change(expect.stringContaining('issue the apiserver-etcd-client certificate'), false),
    ]);
  });

  test('that this cluster made are kept right, as ever', async () => {
    const outcomes = await decide({ ca: trusting(ours), pair: await pairFrom(ours) });
    expect(outcomes).toMatchObject([
      { value: { kind: 'unchanged' } },
      change(expect.stringMatching(/^reissue the apiserver-etcd-client certificate/), false),
    ]);
  });

  test('that another authority made are refused, each with its path and the way out', async () => {
    const outcomes = await decide({ ca: trusting(theirs), pair: await pairFrom(theirs) });
    expect(outcomes).toMatchObject([refused(FILES.ca), refused(FILES.certificate)]);
  });

  test('are refused too where a second authority is trusted beside ours, and where the store is empty', async () => {
    expect((await decide({ ca: trusting(ours, theirs) }))[0]).toMatchObject(refused(FILES.ca));
    const outcomes = await decide({ ca: trusting(ours), pair: await pairFrom(ours), authority: undefined });
    expect(outcomes).toMatchObject([refused(FILES.ca), refused(FILES.certificate)]);
  });

  test('that the inventory gives up are replaced, as a disruption', async () => {
    const replace = [FILES.ca, FILES.certificate];
    const outcomes = await decide({ ca: trusting(theirs), pair: await pairFrom(theirs), replace });
    expect(outcomes).toMatchObject([
      change(`replace the trust bundle ${FILES.ca}, which another tool wrote`, true),
      change(expect.stringMatching(/^replace the apiserver-etcd-client certificate .*, which another tool made/), true),
    ]);
  });
});
