import { createPrivateKey, createPublicKey } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { checkCertificates } from '../../../src/checks/certificates.js';
import { certificateFilesKey, type CertificateFiles } from '../../../src/facts/certificate-files.js';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { memberCertificates } from '../../../src/pki/certificate-list.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { contextOf, linesOf } from '../../support/check-context.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, daysFromToday, TODAY } from '../../support/test-authority.js';

const PKI = '/etc/etcd/pki';
const MEMBER = sampleMember(1);
/** One member is enough: every certificate is judged by the same function. */
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  members: [MEMBER],
  services: [{ ...SAMPLE_SERVICE, balancers: [] }],
  controlPlanes: [],
};

let authority: SigningAuthority;
let stranger: SigningAuthority;
let good: Readonly<Record<string, CertificateFiles>>;

async function issued(
  name: string,
  changes: Partial<CertificateProfile> = {},
  { signer = authority, day = TODAY } = {},
): Promise<CertificateFiles> {
  const wanted = memberCertificates(CLUSTER, MEMBER).find((each) => each.name === name);
  if (wanted === undefined) throw new Error(`there is no ${name}`);
  const made = await issueCertificate(signer, { ...wanted.profile, ...changes }, circumstancesAt(day));
  const key = createPublicKey(createPrivateKey(made.keyPem?.reveal() ?? ''));
  const stat = { owner: 'etcd', group: 'etcd', mode: '0600' };
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  return { certificate: stat, key: stat, pem: made.certificatePem, publicKey: { kind: 'known', pem } };
}

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-400));
  stranger = await authorityFrom(daysFromToday(-1));
  good = {
    [certificateFilesKey(`${PKI}/ca.crt`)]: {
      certificate: { owner: 'root', group: 'root', mode: '0644' },
      key: undefined,
      pem: authority.certificatePem,
      publicKey: { kind: 'unchecked' },
    },
    [certificateFilesKey(`${PKI}/server.crt`, `${PKI}/server.key`)]: await issued('etcd-server'),
    [certificateFilesKey(`${PKI}/peer.crt`, `${PKI}/peer.key`)]: await issued('etcd-peer'),
    [certificateFilesKey(`${PKI}/client.crt`, `${PKI}/client.key`)]: await issued('etcdctl-client'),
  };
});

async function check(changes: Readonly<Record<string, CertificateFiles>>): Promise<readonly string[]> {
  const pem = authority.certificatePem;
  const certificates = {
    authority: { certificate: () => pem, trustBundle: () => pem },
    now: TODAY,
    renewBeforeDays: 30,
  };
  const files = { 'certificate-files': { ...good, ...changes } };
  return linesOf(checkCertificates, contextOf({ 'etcd-1': files }, { cluster: CLUSTER, certificates }));
}

test('certificates as they should be', async () => {
  const valid = "matches its key, signed by this cluster's authority";
  expect(await check({})).toEqual([
    'ok authority /srv/provision/pki: valid until 2035-10-15 (3250 days)',
    `ok trust etcd-1 ${PKI}/ca.crt: is the authority in the store`,
    `ok certificate etcd-1 ${PKI}/server.crt: ${valid}, names the virtual IP, valid until 2027-11-21 (365 days)`,
    `ok certificate etcd-1 ${PKI}/peer.crt: ${valid}, valid until 2027-11-21 (365 days)`,
    `ok certificate etcd-1 ${PKI}/client.crt: ${valid}, valid until 2027-11-21 (365 days)`,
  ]);
});

const server = memberCertificates(CLUSTER, MEMBER)[0]?.profile;

test.each<[string, () => Promise<CertificateFiles>, string]>([
  [
    'a missing SAN',
    () => issued('etcd-server', { ipAddresses: server?.ipAddresses.filter((ip) => ip !== '10.0.0.100') ?? [] }),
    'fail IP 10.0.0.100 missing',
  ],
  [
    'a SAN too many',
    () => issued('etcd-server', { dnsNames: [...(server?.dnsNames ?? []), 'old'] }),
    'warn SAN DNS old no longer wanted',
  ],
  ['an expired one', () => issued('etcd-server', {}, { day: daysFromToday(-370) }), 'fail expired on 2026-11-16'],
  [
    'one that expires soon',
    () => issued('etcd-server', {}, { day: daysFromToday(-350) }),
    'warn expires on 2026-12-06, in less than 30 days',
  ],
  [
    'a foreign one',
    () => issued('etcd-server', {}, { signer: stranger }),
    "fail not signed by this cluster's authority",
  ],
  [
    'another key',
    async () => ({
      ...(await issued('etcd-server')),
      publicKey: (await issued('etcd-server', { keyType: 'rsa-2048' })).publicKey,
    }),
    'fail key does not match the certificate',
  ],
  [
    'no openssl to compare the key with',
    async () => ({ ...(await issued('etcd-server')), publicKey: { kind: 'unchecked' } }),
    'warn its key could not be compared: no openssl',
  ],
  [
    'none',
    () => Promise.resolve({ certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } }),
    `fail no ${PKI}/server.crt; no ${PKI}/server.key`,
  ],
])('%s', async (_, make, expected) => {
  const lines = await check({ [certificateFilesKey(`${PKI}/server.crt`, `${PKI}/server.key`)]: await make() });
  const [verdict = '', ...words] = expected.split(' ');
  const bad = lines.filter((line) => !line.startsWith('ok'));
  expect(bad).toHaveLength(1);
  expect(bad[0]).toMatch(new RegExp(`^${verdict} certificate etcd-1 ${PKI}/server.crt: `));
  expect(bad[0]).toContain(words.join(' '));
});

test('a host that trusts another authority', async () => {
  const key = certificateFilesKey(`${PKI}/ca.crt`);
  const files = {
    certificate: undefined,
    key: undefined,
    pem: stranger.certificatePem,
    publicKey: { kind: 'unchecked' } as const,
  };
  expect(await check({ [key]: files })).toContain(`fail trust etcd-1 ${PKI}/ca.crt: is not the authority in the store`);
});

test('an empty store', async () => {
  const files = { 'certificate-files': good };
  const lines = await linesOf(checkCertificates, contextOf({ 'etcd-1': files }, { cluster: CLUSTER }));
  expect(lines[0]).toBe(
    'fail authority /srv/provision/pki: has no certificate authority: certificates can be neither verified nor signed',
  );
});

test.each([
  ['with-the-rest', 'provision plan inventory.yaml'],
  ['on-demand', 'provision plan inventory.yaml --playbook repoint'],
] as const)('files of an API server that moves %s are written by: %s', async (repoint, next) => {
  const controlPlanes = SAMPLE_CLUSTER.controlPlanes.slice(0, 1).map((each) => ({ ...each, repoint }));
  const text =
    'spec:\n  containers:\n  - name: kube-apiserver\n    command: [kube-apiserver, --etcd-servers=https://10.0.0.1:2379]\n';
  const missing = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };
  const files = [
    certificateFilesKey('/etc/kubernetes/pki/etcd/ca.crt'),
    certificateFilesKey(
      '/etc/kubernetes/pki/apiserver-etcd-client.crt',
      '/etc/kubernetes/pki/apiserver-etcd-client.key',
    ),
  ];
  const host = {
    'file-contents': { '/etc/kubernetes/manifests/kube-apiserver.yaml': text },
    'certificate-files': Object.fromEntries(files.map((key) => [key, missing])),
  };
  const context = contextOf({ 'cp-1': host }, { cluster: { ...CLUSTER, members: [], controlPlanes } });
  const items = (await checkCertificates(context)).filter((item) => item.host === 'cp-1');
  expect(items.map((item) => item.next)).toEqual([next, next]);
});
