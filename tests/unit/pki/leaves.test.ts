import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { KeyType } from '../../../src/model/certificate.js';
import { apiserverCertificates, balancerCertificates, memberCertificates } from '../../../src/pki/certificate-list.js';
import { keyUsagesIn } from '../../../src/pki/extensions.js';
import { keyTypeOf, notAfterOf, subjectOf, usagesOf } from '../../../src/pki/inspect.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, daysFromToday, TODAY } from '../../support/test-authority.js';

const AUTHORITY_DAY = daysFromToday(-10);
const EC = ['digitalSignature'];
const RSA = ['digitalSignature', 'keyEncipherment'];

/** Every leaf of the list, with what it is good for. */
const LEAVES = {
  'etcd-server': ['m1', 'client,server'],
  'etcd-peer': ['m1', 'client,server'],
  'etcdctl-client': ['etcdctl', 'client'],
  'haproxy-healthcheck-client': ['haproxy-healthcheck', 'client'],
  'apiserver-etcd-client': ['kube-apiserver-etcd-client', 'client'],
} as const;

function listed(keyType: KeyType, leafDays: number) {
  const cluster = { ...SAMPLE_CLUSTER, certificates: { ...SAMPLE_CLUSTER.certificates, keyType, leafDays } };
  return [
    ...memberCertificates(cluster, sampleMember(1)),
    ...balancerCertificates(cluster, SAMPLE_SERVICE),
    ...apiserverCertificates(cluster, { certificatePath: '/a.crt', keyPath: '/a.key' }),
  ];
}

let authority: SigningAuthority;
beforeAll(async () => {
  authority = await authorityFrom(AUTHORITY_DAY);
});

test('the table names every leaf of the list', () => {
  expect(listed('ecdsa-p256', 365).map(({ name }) => name)).toEqual(Object.keys(LEAVES));
});

describe.each([
  ['ecdsa-p256', 365, EC],
  ['ecdsa-p256', 90, EC],
  ['rsa-2048', 400, RSA],
] as const)('as it is signed, with a key of %s for %s days:', (keyType, days, keyUsages) => {
  test.each(Object.entries(LEAVES))('%s', async (name, [commonName, usages]) => {
    const wanted = listed(keyType, days).find((each) => each.name === name);
    if (wanted === undefined) throw new Error(`no ${name}`);
    const { certificatePem } = await issueCertificate(authority, wanted.profile, circumstancesAt(TODAY));
    const leaf = new X509Certificate(certificatePem);
    expect({
      saysAuthority: new x509.X509Certificate(certificatePem).getExtension(x509.BasicConstraintsExtension)?.ca,
      isAuthority: leaf.ca,
      subject: subjectOf(leaf),
      from: new Date(leaf.validFrom),
      to: notAfterOf(leaf),
      key: keyTypeOf(leaf.publicKey),
      keyUsages: keyUsagesIn(leaf),
      usages: usagesOf(leaf).join(),
      verifies: leaf.verify(new X509Certificate(authority.certificatePem).publicKey),
    }).toEqual({
      // Read by itself: `ca` of Node is false also where CA:TRUE stands beside key usages without keyCertSign.
      saysAuthority: false,
      isAuthority: false,
      subject: { commonName, organizations: [] },
      from: new Date(TODAY.getTime() - 5 * 60 * 1000),
      to: daysFromToday(days),
      key: keyType,
      keyUsages,
      usages,
      verifies: true,
    });
    expect(wanted.ownership.mode).toBe('0600');
  });
});

test('the authority may sign leaves, and nothing else', () => {
  const certificate = new X509Certificate(authority.certificatePem);
  const written = new x509.X509Certificate(authority.certificatePem);
  expect(written.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: true, pathLength: 0 });
  expect(written.getExtension(x509.KeyUsagesExtension)?.usages).toBe(
    x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
  );
  expect(usagesOf(certificate)).toEqual([]);
  expect(new Date(certificate.validFrom)).toEqual(new Date(AUTHORITY_DAY.getTime() - 5 * 60 * 1000));
});
