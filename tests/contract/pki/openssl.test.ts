import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CertificateProfile, KeyType } from '../../../src/model/certificate.js';
import { Secret } from '../../../src/model/secret.js';
import { apiserverCertificates, balancerCertificates, memberCertificates } from '../../../src/pki/certificate-list.js';
import { readAuthority } from '../../../src/pki/import-authority.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { hasOpenssl, openssl, type OpensslResult } from '../../support/openssl.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../../support/sample-cluster.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { authorityFrom, circumstancesAt } from '../../support/test-authority.js';

// openssl judges by the real clock.
const NOW = new Date();
const LATER = String(Math.floor(NOW.getTime() / 1000) + 400 * 24 * 60 * 60);

const present = hasOpenssl();
if (!present) console.warn('skipped: certificates are not verified by openssl, because this machine has none');
const describeWithOpenssl = present ? describe : describe.skip;

let directory: string;

beforeAll(async () => {
  directory = temporaryDirectory('openssl');
});

let files = 0;
async function file(text: string): Promise<string> {
  files += 1;
  const path = join(directory, `${files}.pem`);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

async function verify(authority: SigningAuthority, leafPem: string, ...options: string[]): Promise<OpensslResult> {
  const [ca, leaf] = [await file(authority.certificatePem), await file(leafPem)];
  return openssl(['verify', '-x509_strict', '-CAfile', ca, ...options, leaf]);
}

async function issue(authority: SigningAuthority, profile: CertificateProfile): Promise<string> {
  return (await issueCertificate(authority, profile, circumstancesAt(NOW))).certificatePem;
}

function profilesOf(keyType: KeyType): ReadonlyMap<string, CertificateProfile> {
  const certificates = { ...SAMPLE_CLUSTER.certificates, keyType };
  const cluster = { ...SAMPLE_CLUSTER, certificates };
  const all = [
    ...memberCertificates(cluster, sampleMember(1)),
    ...balancerCertificates(cluster, SAMPLE_SERVICE),
    ...apiserverCertificates(cluster, { certificatePath: '/a.crt', keyPath: '/a.key' }),
  ];
  return new Map(all.map(({ name, profile }) => [name, profile]));
}

describeWithOpenssl('openssl verify -x509_strict', () => {
  describe.each(['ecdsa-p256', 'rsa-2048'] as const)('with %s keys', (keyType) => {
    let authority: SigningAuthority;
    beforeAll(async () => {
      authority = await authorityFrom(NOW, 3650, keyType);
    });

    test('accepts the authority', async () => {
      expect(await verify(authority, authority.certificatePem)).toMatchObject({ status: 0 });
    });

    test.each([...profilesOf(keyType)])('accepts %s for its usages, and for no other', async (_, profile) => {
      const leaf = await issue(authority, profile);
      expect(await verify(authority, leaf, '-purpose', 'sslclient')).toMatchObject({ status: 0 });
      const asServer = await verify(authority, leaf, '-purpose', 'sslserver');
      if (profile.usages.includes('server')) expect(asServer).toMatchObject({ status: 0 });
      else expect(asServer.output).toContain('unsuitable certificate purpose');
    });

    test.each([
      ['-verify_ip', '10.0.0.1'],
      ['-verify_ip', '10.0.0.100'],
      ['-verify_ip', '::1'],
      ['-verify_hostname', 'etcd-1'],
      ['-verify_hostname', 'm1'],
      ['-verify_hostname', 'etcd.example.com'],
      ['-verify_hostname', 'localhost'],
    ])("accepts a member's server certificate %s %s", async (option, name) => {
      const leaf = await issue(authority, serverOf(keyType));
      expect(await verify(authority, leaf, '-purpose', 'sslserver', option, name)).toMatchObject({ status: 0 });
    });

    test.each([
      ['another address', ['-verify_ip', '10.0.0.2'], 'IP address mismatch'],
      ['an address as a name', ['-verify_hostname', '10.0.0.1'], 'hostname mismatch'],
      ['a day after its end', ['-attime', LATER], 'certificate has expired'],
    ])('refuses %s', async (_, options, reason) => {
      const leaf = await issue(authority, serverOf(keyType));
      const { status, output } = await verify(authority, leaf, ...options);
      expect(status).not.toBe(0);
      expect(output).toContain(reason);
    });

    test('refuses a leaf of another authority with the same name', async () => {
      const leaf = await issue(await authorityFrom(NOW, 3650, keyType), serverOf(keyType));
      expect((await verify(authority, leaf)).status).not.toBe(0);
    });
  });

  test('a leaf never outlives its authority, also in the eyes of openssl', async () => {
    const authority = await authorityFrom(NOW, 100);
    const leaf = await file(await issue(authority, serverOf('ecdsa-p256')));
    const ca = await file(authority.certificatePem);
    const end = (path: string): string => openssl(['x509', '-in', path, '-noout', '-enddate']).output;
    expect(end(leaf)).toBe(end(ca));
  });
});

function serverOf(keyType: KeyType): CertificateProfile {
  const profile = profilesOf(keyType).get('etcd-server');
  if (profile === undefined) throw new Error('no etcd-server in the list');
  return profile;
}

describeWithOpenssl('an authority that openssl made', () => {
  /** @param key options of genpkey @param form how the key is written */
  async function made(key: readonly string[], form: 'traditional' | 'pkcs8') {
    const [keyFile, certificate] = [join(directory, `${files}-ca.key`), join(directory, `${files}-ca.crt`)];
    files += 1;
    const { output: pkcs8 } = openssl(['genpkey', '-quiet', ...key]);
    openssl(['pkey', ...(form === 'traditional' ? ['-traditional'] : []), '-out', keyFile], pkcs8);
    const args = [
      'req',
      '-x509',
      '-new',
      '-key',
      keyFile,
      '-subj',
      '/O=Example, Inc./CN=Old \\+ etcd CA',
      '-days',
      '900',
    ];
    openssl([...args, '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-out', certificate]);
    return {
      certificatePem: await readFile(certificate, 'utf8'),
      keyPem: new Secret(await readFile(keyFile, 'utf8')),
    };
  }

  test.each([
    ['RSA as PKCS#1', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], 'traditional'],
    ['P-256 as SEC1', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'traditional'],
    ['P-384 as PKCS#8', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'], 'pkcs8'],
  ] as const)('%s is brought in, and its leaves verify', async (_, key, form) => {
    const authority = readAuthority(await made(key, form), new Date());
    const signed = await issueCertificate(authority, serverOf('ecdsa-p256'), circumstancesAt(new Date()));
    const leaf = signed.certificatePem;
    expect(await verify(authority, leaf, '-purpose', 'sslserver')).toMatchObject({ status: 0 });
  });
});
