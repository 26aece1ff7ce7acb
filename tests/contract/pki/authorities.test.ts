import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { InputError } from '../../../src/model/errors.js';
import { Secret } from '../../../src/model/secret.js';
import { readAuthority } from '../../../src/pki/import-authority.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { hasOpenssl, openssl } from '../../support/openssl.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { circumstancesAt, SERVER_PROFILE } from '../../support/test-authority.js';

const present = hasOpenssl();
if (!present) console.warn('skipped: no authority is made by openssl, because this machine has none');
const describeWithOpenssl = present ? describe : describe.skip;

let directory: string;

beforeAll(async () => {
  directory = temporaryDirectory('authorities');
});

let made = 0;
/** A self-signed certificate as openssl makes it. @param extensions beside or in place of its own */
async function authorityOf(extensions: readonly string[], key = 'rsa:2048'): Promise<SigningAuthority> {
  made += 1;
  const [certificate, keyFile] = [join(directory, `${made}.crt`), join(directory, `${made}.key`)];
  const words = extensions.flatMap((extension) => ['-addext', extension]);
  const config = '[req]\ndistinguished_name = dn\n[dn]\n';
  const configFile = join(directory, `${made}.cnf`);
  await writeFile(configFile, config);
  const { status, output } = openssl([
    ...['req', '-x509', '-noenc', '-newkey', key, '-days', '3650', '-subj', '/CN=made-ca'],
    ...['-config', configFile, '-keyout', keyFile, '-out', certificate, ...words],
  ]);
  if (status !== 0) throw new Error(output);
  return {
    certificatePem: await readFile(certificate, 'utf8'),
    keyPem: new Secret(await readFile(keyFile, 'utf8')),
  };
}

function faultsOf(authority: SigningAuthority): string {
  try {
    readAuthority(authority, new Date());
    return '';
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(({ message }) => message).join('; ');
    throw error;
  }
}

const CA = 'basicConstraints=critical,CA:TRUE';
const SIGNS = 'keyUsage=critical,keyCertSign,cRLSign';

describeWithOpenssl('an authority that openssl made', () => {
  test.each([
    ['with path length 0', [`${CA},pathlen:0`, SIGNS]],
    ['without a key usage', [CA]],
    ['for servers and clients', [CA, SIGNS, 'extendedKeyUsage=serverAuth,clientAuth']],
  ])('%s is taken, and openssl verifies what it signs', async (_, extensions) => {
    const authority = await authorityOf(extensions);
    const read = readAuthority(authority, new Date());
    const { certificatePem } = await issueCertificate(read, SERVER_PROFILE, circumstancesAt(new Date()));
    const [ca, leaf] = [join(directory, 'ca.pem'), join(directory, 'leaf.pem')];
    await Promise.all([writeFile(ca, authority.certificatePem), writeFile(leaf, certificatePem)]);
    for (const purpose of ['sslserver', 'sslclient'])
      expect(openssl(['verify', '-purpose', purpose, '-CAfile', ca, leaf])).toMatchObject({ status: 0 });
  });

  test.each([
    ['CA:FALSE', ['basicConstraints=critical,CA:FALSE'], 'rsa:2048', 'is not a CA'],
    ['no basic constraints', [SIGNS], 'rsa:2048', 'is not a CA'],
    ['a key of 1024 bits', [CA, SIGNS], 'rsa:1024', 'is for a key of type rsa-1024'],
    [
      'a key usage without signing',
      [CA, 'keyUsage=critical,digitalSignature'],
      'rsa:2048',
      'is not a CA: its basic constraints or its key usage',
    ],
    ['usages for clients only', [CA, SIGNS, 'extendedKeyUsage=clientAuth'], 'rsa:2048', 'may not sign for server'],
    // Go takes it for every use, OpenSSL (HAProxy, curl) for none.
    [
      'the usage for anything',
      [CA, SIGNS, 'extendedKeyUsage=anyExtendedKeyUsage'],
      'rsa:2048',
      'for server and client',
    ],
    [
      'name constraints',
      [CA, SIGNS, 'nameConstraints=critical,permitted;DNS:shop.example'],
      'rsa:2048',
      'constrains the names',
    ],
  ])('with %s is refused by name', async (_, extensions, key, words) => {
    expect(faultsOf(await authorityOf(extensions, key))).toContain(words);
  });
});
