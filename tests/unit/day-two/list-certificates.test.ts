import { createPrivateKey, createPublicKey } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { certificatesSchema, type CertificateListing } from '../../../src/day-two/certificate-schema.js';
import { listCertificates } from '../../../src/day-two/list-certificates.js';
import { certificateFilesKey, type CertificateFiles } from '../../../src/facts/certificate-files.js';
import { directoryCertificates } from '../../../src/facts/directory-certificates.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { memberCertificates } from '../../../src/pki/certificate-list.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { renderCertificates } from '../../../src/report/certificates-text.js';
import { contextOf, UNREACHABLE } from '../../support/check-context.js';
import { CLUSTER as CHECKED, LEAVES, checkedCluster, signAll, type Answer } from '../../support/checked-cluster.js';
import { expectGolden } from '../../support/golden.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, daysFromToday, TODAY } from '../../support/test-authority.js';

const PKI = '/etc/etcd/pki';
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  members: [sampleMember(1), sampleMember(2)],
  services: [],
  controlPlanes: [],
};
const MISSING: CertificateFiles = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };

let authority: SigningAuthority;
let listing: Omit<CertificateListing, 'formatVersion'>;

async function issued(name: string, day: Date): Promise<CertificateFiles> {
  const wanted = memberCertificates(CLUSTER, sampleMember(1)).find((each) => each.name === name);
  if (wanted === undefined) throw new Error(`there is no ${name}`);
  const made = await issueCertificate(authority, wanted.profile, circumstancesAt(day));
  const key = createPublicKey(createPrivateKey(made.keyPem?.reveal() ?? ''));
  const stat = { owner: 'etcd', group: 'etcd', mode: '0600' };
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  return { certificate: stat, key: stat, pem: made.certificatePem, publicKey: { kind: 'known', pem } };
}

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-500));
  const pem = authority.certificatePem;
  const files = {
    [certificateFilesKey(`${PKI}/ca.crt`)]: { ...MISSING, pem },
    [certificateFilesKey(`${PKI}/server.crt`, `${PKI}/server.key`)]: await issued('etcd-server', TODAY),
    [certificateFilesKey(`${PKI}/peer.crt`, `${PKI}/peer.key`)]: await issued('etcd-peer', daysFromToday(-400)),
    [certificateFilesKey(`${PKI}/client.crt`, `${PKI}/client.key`)]: MISSING,
  };
  const certificates = {
    authority: { certificate: () => pem, trustBundle: () => pem },
    now: TODAY,
    renewBeforeDays: 30,
  };
  const hosts = { 'etcd-1': { 'certificate-files': files }, 'etcd-2': UNREACHABLE } as const;
  listing = await listCertificates(contextOf(hosts, { cluster: CLUSTER, certificates }));
});

test('every certificate is listed in order of expiry, what is missing first, and the host that is away', () => {
  expect(listing.certificates.map(({ name, daysLeft, faults }) => [name, daysLeft, ...faults])).toEqual([
    ['etcd-1/etcdctl-client', null, `no ${PKI}/client.crt`, `no ${PKI}/client.key`],
    ['etcd-1/etcd-peer', -35, 'expired on 2026-10-17'],
    ['etcd-1/etcd-server', 365],
    ['ca', 3150],
    ['etcd-1/trust', 3150],
  ]);
  expect(listing.unreachable).toEqual([{ host: 'etcd-2', message: 'etcd-2: connection refused' }]);
});

test('a host without the file of whom it trusts is listed with that', async () => {
  const leaves = ['server', 'peer', 'client'].map((name) =>
    certificateFilesKey(`${PKI}/${name}.crt`, `${PKI}/${name}.key`),
  );
  const keys = [certificateFilesKey(`${PKI}/ca.crt`), ...leaves];
  const files = Object.fromEntries(keys.map((key) => [key, MISSING] as const));
  const certificates = {
    authority: { certificate: () => undefined, trustBundle: () => undefined },
    ...{ now: TODAY, renewBeforeDays: 30 },
  };
  const cluster = { ...CLUSTER, members: [sampleMember(1)] };
  const found = await listCertificates(
    contextOf({ 'etcd-1': { 'certificate-files': files } }, { cluster, certificates }),
  );
  expect(found.certificates.find(({ name }) => name === 'etcd-1/trust')?.faults).toEqual([
    `no certificate in ${PKI}/ca.crt`,
  ]);
});

test('all that is listed of a whole cluster, of one with a stacked member, and of one whose files have ended or are gone', async () => {
  await signAll();
  const [plane] = CHECKED.controlPlanes;
  const manifest = '/etc/kubernetes/manifests/etcd.yaml';
  const formerMembers = [{ ...sampleMember(3), host: plane?.host ?? '', manifest }];
  const stacked = { cluster: { ...CHECKED, formerMembers } };
  const ended: Answer = () => LEAVES.get('ended');
  const cases: readonly (readonly [string, Readonly<Record<string, Answer>>, Parameters<typeof checkedCluster>[1]])[] =
    [
      ['a whole cluster', {}, {}],
      ['a stacked member is to leave', { paths: () => true }, stacked],
      ['a stacked member has left', { paths: () => false }, stacked],
      ['all files have ended', { 'certificate-files': ended }, {}],
      ['no manifest can be read', { 'file-contents': () => undefined }, {}],
    ];
  const said: string[] = [];
  for (const [name, changes, more] of cases) {
    const { certificates } = await listCertificates(checkedCluster(changes, more));
    said.push(
      name,
      ...certificates.map(
        ({ name: own, host, path, kind, daysLeft, subject, faults }) =>
          `  ${kind} ${own}, ${host ?? '-'}, ${path}: ${daysLeft ?? '?'} days, ${subject ?? '-'}${faults.length === 0 ? '' : `; ${faults.length} faults`}`,
      ),
    );
  }
  expectGolden('fixtures/day-two/certificates.txt', `${said.join('\n')}\n`);
});

test('it is what the schema says', () => {
  expect(certificatesSchema.parse({ formatVersion: 1, ...listing }).certificates).toHaveLength(5);
  expect(listing.certificates[2]).toMatchObject({
    host: 'etcd-1',
    path: `${PKI}/server.crt`,
    kind: 'leaf',
    subject: 'CN=m1',
    issuer: 'CN=etcd-ca',
    names: expect.arrayContaining(['DNS etcd-1', 'IP 10.0.0.1']),
    usages: ['client', 'server'],
    validUntil: '2027-11-21T12:00:00.000Z',
  });
});

test('as a table, with names and faults below each', () => {
  const text = renderCertificates(listing, { colour: false });
  expect(text.split('\n').slice(0, 6)).toEqual([
    'DAYS  UNTIL       NAME                   PATH',
    '   ?              etcd-1/etcdctl-client  /etc/etcd/pki/client.crt',
    '      no /etc/etcd/pki/client.crt',
    '      no /etc/etcd/pki/client.key',
    ' -35  2026-10-17  etcd-1/etcd-peer       /etc/etcd/pki/peer.crt',
    '      CN=m1; by CN=etcd-ca; DNS etcd-1, DNS m1, IP 10.0.0.1',
  ]);
  expect(text).toContain('etcd-2: connection refused');
});

test('what hosts say of paths cannot write to the terminal', () => {
  const evil = { ...listing.certificates[0], path: '/etc/\u001b]52;c;cGxhbnRlZA==\u0007.crt' };
  const text = renderCertificates({ ...listing, certificates: [evil as never] }, { colour: false });
  expect(text).not.toContain('\u001b');
});

test('certificates below a directory are read file by file, whatever their names', () => {
  const name = Buffer.from('/etc/kubernetes/pki/etcd/a\nC b.crt').toString('base64');
  const out = `D 0\nC ${name}\n-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\nD 1\n`;
  const found = directoryCertificates.parse(out, ['/etc/kubernetes/pki', '/none']);
  expect(found.get('/etc/kubernetes/pki')).toEqual([
    { path: '/etc/kubernetes/pki/etcd/a\nC b.crt', pem: expect.stringContaining('AA') },
  ]);
  expect(found.get('/none')).toEqual([]);
});
