import { verify, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { keyProof, keyProofKey } from '../../../src/facts/key-proof.js';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import { Secret } from '../../../src/model/secret.js';
import { widenProfile } from '../../../src/pki/compare.js';
import { readAuthority } from '../../../src/pki/import-authority.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { readRequest, requestConfig } from '../../../src/pki/request.js';
import { createLocalTransport } from '../../support/local-transport.js';
import { hasOpenssl, openssl } from '../../support/openssl.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { circumstancesAt, SERVER_PROFILE } from '../../support/test-authority.js';

const present = hasOpenssl();
if (!present) console.warn('skipped: no certificate is made by openssl, because this machine has none');
const describeWithOpenssl = present ? describe : describe.skip;

let directory: string;
const path = (name: string): string => join(directory, name);

function succeed(args: readonly string[]): string {
  const { status, output } = openssl(args);
  if (status !== 0) throw new Error(output);
  return output;
}

/** All kinds of names, usages and letters that openssl has words for. */
const CONFIG = `[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
[dn]
C = US
O = Ex\\, ample "Inc" + x
OU = Zürich; <a>
CN = etcd-1-dev
[v3]
keyUsage = digitalSignature, keyEncipherment, dataEncipherment
extendedKeyUsage = serverAuth, clientAuth, codeSigning, 1.2.3.4.5
subjectAltName = DNS:etcd-1-dev, IP:10.9.9.9, IP:fd00::1:0:9, URI:spiffe://example/etcd, email:ops@example.com, RID:1.2.3.4, otherName:1.2.3.5;UTF8:other, dirName:dir
[dir]
CN = directory
`;

const NAMES =
  /DNS:etcd-1.*IP Address:10\.9\.9\.9.*email:ops@example\.com.*URI:spiffe:\/\/example\/etcd.*Registered ID:1\.2\.3\.4/s;

let kept: CertificateProfile;

beforeAll(async () => {
  directory = temporaryDirectory('kept');
  await writeFile(path('leaf.cnf'), CONFIG);
  succeed([
    ...['req', '-x509', '-noenc', '-newkey', 'rsa:2048', '-days', '3650', '-subj', '/CN=made-ca'],
    ...['-addext', 'keyUsage=critical,keyCertSign', '-keyout', path('ca.key'), '-out', path('ca.crt')],
  ]);
  succeed([
    'req',
    '-new',
    '-noenc',
    '-utf8',
    '-newkey',
    'rsa:2048',
    '-config',
    path('leaf.cnf'),
    '-keyout',
    path('leaf.key'),
    '-out',
    path('leaf.csr'),
  ]);
  succeed([
    ...['x509', '-req', '-days', '300', '-in', path('leaf.csr'), '-CA', path('ca.crt'), '-CAkey', path('ca.key')],
    ...['-CAcreateserial', '-extfile', path('leaf.cnf'), '-extensions', 'v3', '-out', path('leaf.crt')],
  ]);
  const found = new X509Certificate(await readFile(path('leaf.crt')));
  const keepPublicKey = found.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  kept = { ...widenProfile(SERVER_PROFILE, found), keepPublicKey };
});

describeWithOpenssl('a certificate of others that openssl made', () => {
  test('is signed again with every name, usage and letter that it had', async () => {
    const authority = readAuthority(
      {
        certificatePem: await readFile(path('ca.crt'), 'utf8'),
        keyPem: new Secret(await readFile(path('ca.key'), 'utf8')),
      },
      new Date(),
    );
    const { certificatePem } = await issueCertificate(authority, kept, circumstancesAt(new Date()));
    await writeFile(path('again.crt'), certificatePem);
    const show = (file: string, extension: string): readonly string[] =>
      succeed(['x509', '-in', path(file), '-noout', '-ext', extension])
        .split('\n')
        .slice(1)
        .join('')
        .split(',')
        .map((part) => part.trim());
    for (const extension of ['subjectAltName', 'extendedKeyUsage', 'keyUsage'])
      expect(show('again.crt', extension)).toEqual(expect.arrayContaining([...show('leaf.crt', extension)]));
    const subject = (file: string): string =>
      succeed(['x509', '-in', path(file), '-noout', '-subject', '-nameopt', 'utf8,sep_multiline,sname']);
    expect(subject('again.crt')).toBe(subject('leaf.crt'));
    expect(succeed(['verify', '-x509_strict', '-CAfile', path('ca.crt'), path('again.crt')])).toContain('OK');
  });

  test('is asked for elsewhere with the same, and the request is taken', async () => {
    await writeFile(path('asked.cnf'), requestConfig(kept));
    succeed([
      'req',
      '-new',
      '-sha256',
      '-utf8',
      '-config',
      path('asked.cnf'),
      '-key',
      path('leaf.key'),
      '-out',
      path('asked.csr'),
    ]);
    expect(succeed(['req', '-in', path('asked.csr'), '-noout', '-text'])).toMatch(NAMES);
    const request = await readRequest(await readFile(path('asked.csr'), 'utf8'), kept);
    expect(request?.faults).toEqual([]);
  });
});

describeWithOpenssl('keyProof', () => {
  const statement = `provision: it's "host-1" $(id) \\n`;

  async function ask(keyPath: string): Promise<Buffer | undefined> {
    const key = keyProofKey(keyPath, statement);
    const { stdout } = await createLocalTransport('host-1').run({ summary: 'ask', script: keyProof.script([key]) });
    return keyProof.parse(stdout, [key]).get(key);
  }

  test('signs the statement with the key of the host, byte by byte', async () => {
    const signature = (await ask(path('leaf.key'))) ?? Buffer.alloc(0);
    const { publicKey } = new X509Certificate(await readFile(path('leaf.crt')));
    expect(verify('sha256', Buffer.from(statement), publicKey, signature)).toBe(true);
    expect(verify('sha256', Buffer.from(`${statement}.`), publicKey, signature)).toBe(false);
  });

  test('gives nothing without the key', async () => {
    expect(await ask(path('none.key'))).toBeUndefined();
  });
});
