import { beforeAll, describe, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { Await } from '../../../src/model/action.js';
import type { Outcome } from '../../../src/model/change.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { apiserverNames } from '../../../src/resources/apiserver-names.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { fixture } from '../../support/fixture.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';
import { expectRefused } from '../../support/refusals.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const CERTIFICATE = '/etc/kubernetes/pki/apiserver.crt';
const KEY = '/etc/kubernetes/pki/apiserver.key';
const AFTER: Await = { kind: 'await', gate: 'backends-named: kube-apiserver', parameters: {} };
const KUBEADM = ['/usr/bin/kubeadm', '/usr/local/bin/kubeadm'] as const;
const CA_KEY = '/etc/kubernetes/pki/ca.key';

let pem: string;

beforeAll(async () => {
  const profile = { ...SERVER_PROFILE, dnsNames: ['cp-1', 'kubernetes'], ipAddresses: ['10.0.0.11', '2001:db8::200'] };
  pem = (await issueCertificate(await authorityFrom(TODAY), profile, circumstancesAt(TODAY))).certificatePem;
});

interface Host {
  readonly manifest?: string | undefined;
  readonly pem?: string;
  readonly there?: readonly string[];
}

async function decide(wanted: readonly string[], host: Host = {}): Promise<Outcome> {
  const { there = [KUBEADM[1], CA_KEY] } = host;
  const text = 'manifest' in host ? host.manifest : fixture('manifests/kube-apiserver.yaml');
  const files = {
    certificate: { owner: 'root', group: 'root', mode: '0644' },
    key: { owner: 'root', group: 'root', mode: '0600' },
    pem: host.pem ?? pem,
    publicKey: { kind: 'unchecked' },
  };
  const probe = fakeProbe(
    {
      'file-contents': { [MANIFEST]: text },
      'certificate-files': { [certificateFilesKey(CERTIFICATE, KEY)]: files },
      paths: Object.fromEntries([...KUBEADM, CA_KEY].map((path) => [path, there.includes(path)])),
    },
    {},
    'cp-1',
  );
  const [controlPlane] = SAMPLE_CLUSTER.controlPlanes;
  if (controlPlane === undefined) throw new Error('the sample has a control plane');
  const authority = '/etc/kubernetes/pki/ca.crt';
  return apiserverNames({ controlPlane, authority, wanted, after: AFTER }).plan(probe);
}

describe('apiserverNames', () => {
  test.each([
    ['an address', ['10.0.0.11']],
    ['a name, however it is written', ['CP-1']],
    ['an IPv6 address, however it is written', ['2001:db8:0:0::200', 'kubernetes']],
  ])('has nothing to do where %s is there', async (_, wanted) => {
    expect(await decide(wanted)).toEqual({ kind: 'unchanged' });
  });

  test('keeps every name that is there, and waits until the API server shows the new ones', async () => {
    const outcome = await decide(['10.0.0.200', 'api.example.com', 'kubernetes']);
    expect(outcome).toMatchObject({
      kind: 'change',
      change: {
        summary: `reissue ${CERTIFICATE} with kubeadm, for 10.0.0.200, api.example.com too`,
        disruptive: false,
        diff: [
          ...['+ SAN 10.0.0.200', '+ SAN api.example.com'],
          '  all other names stay; the API server reads it within a minute',
        ],
        actions: [{ kind: 'run', undo: { summary: 'restore the old certificate of the API server' } }, AFTER],
      },
    });
    const [action] = outcome.kind === 'change' ? outcome.change.actions : [];
    const script = action?.kind === 'run' ? action.command.script : '';
    expect(script).toContain('-sans cp-1,kubernetes,10.0.0.11,2001:db8::200,10.0.0.200,api.example.com ');
  });

  test.each<[string, Host, string]>([
    ['kubeadm is not there', { there: [CA_KEY] }, 'serving-certificate-not-kubeadm'],
    ["the authority's key is not there", { there: KUBEADM }, 'serving-certificate-not-kubeadm'],
    ['there is no certificate', { pem: '' }, 'no-serving-certificate'],
    ['there is no manifest', { manifest: undefined }, 'no-manifest'],
  ])('is refused while planning where %s', async (_, host, code) => {
    await expectRefused(decide(['10.0.0.200'], host), code);
  });

  test('needs neither where nothing is missing', async () => {
    expect(await decide(['10.0.0.11'], { there: [] })).toEqual({ kind: 'unchanged' });
  });
});
