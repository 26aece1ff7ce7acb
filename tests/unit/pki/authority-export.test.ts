import { chmodSync, mkdirSync } from 'node:fs';
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { exportAuthority, importExported, type AuthorityTransfer } from '../../../src/pki/authority-export.js';
import { encryptSecret } from '../../../src/pki/encryption.js';
import type { PassphraseSource } from '../../../src/pki/passphrase.js';
import { openStore, type WritableStore } from '../../../src/pki/store.js';
import { openStoredAuthority } from '../../../src/pki/stored-authority.js';
import { repeatableBytes, TODAY } from '../../support/test-authority.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const PROFILE = { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' } as const;
const [HERE, THERE, TRAVELLING] = ['correct-horse-planted', 'battery-staple-planted', 'on-the-way-planted'];

let top: string;
let from: string;
let to: string;
let file: string;

function source(text: string): PassphraseSource {
  const secret = new Secret(text);
  return { opening: (_, open) => open(secret), chosen: () => Promise.resolve(secret) };
}

const options = (directory: string, passphrase: string) =>
  ({ directory, passphrase: source(passphrase), now: () => TODAY, random: repeatableBytes(), scryptLogN: 4 }) as const;

function open(directory: string, passphrase: string): Promise<WritableStore> {
  return openStore(options(directory, passphrase));
}

function transfer(changes: Partial<AuthorityTransfer>): AuthorityTransfer {
  return {
    ...{ directory: from, file, stored: source(HERE), travelling: source(TRAVELLING) },
    ...{ now: TODAY, suffix: 'abc', scryptLogN: 4, ...changes },
  };
}

const export_ = (changes: Partial<AuthorityTransfer> = {}) => exportAuthority(transfer(changes));
const import_ = (changes: Partial<AuthorityTransfer> = {}) =>
  importExported(transfer({ directory: to, stored: source(THERE), ...changes }));

/** The key that signs, as a run of the store's owner opens it: proved by a certificate that it signs. */
async function signs(directory: string, passphrase: string): Promise<boolean> {
  const authority = await openStoredAuthority(options(directory, passphrase));
  await authority.unlock([{ host: 'etcd-1', action: {} as never }], () => {
    throw new Error('no host is asked');
  });
  const leaf = new X509Certificate(authority.runCredential()?.reveal() ?? '');
  return leaf.verify(new X509Certificate(authority.certificate() ?? '').publicKey);
}

beforeEach(async () => {
  top = temporaryDirectory('authority-export');
  [from, to, file] = [join(top, 'here', 'pki'), join(top, 'there', 'pki'), join(top, 'exported.age')];
  const store = await open(from, HERE);
  await store.signer.createAuthority(PROFILE);
  await store.signer.keepSecret('keepalived-auth-pass');
});

describe('an authority that moves to another machine', () => {
  test('signs there, is trusted as it was, and keeps the password of keepalived; nothing stands in the clear', async () => {
    expect(await export_()).toEqual({ isRotating: false });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(await import_()).toEqual({ isRotating: false });
    const [old, now] = [await open(from, HERE), await open(to, THERE)];
    expect(now.authority.trustBundle()).toBe(old.authority.trustBundle());
    expect(now.keepalivedAuthPass.isKept()).toBe(true);
    expect(now.keepalivedAuthPass.value().reveal()).toBe(old.keepalivedAuthPass.value().reveal());
    expect([await signs(from, HERE), await signs(to, THERE)]).toEqual([true, true]);
    await expect(signs(to, HERE)).rejects.toMatchObject({ code: 'wrong-passphrase' });
    expect((await readdir(to)).toSorted()).toEqual(['ca.crt', 'ca.key.age', 'keepalived-auth-pass']);
    expect((await stat(to)).mode & 0o777).toBe(0o700);
    for (const name of ['ca.key.age', 'keepalived-auth-pass'])
      expect((await stat(join(to, name))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(top, 'there'))).toEqual(['pki']);
  });

  test.each(['trust-both', 'sign-by-new', 'trust-new'] as const)('may be in a rotation, at %s', async (last) => {
    for (const move of ['trust-both', 'sign-by-new', 'trust-new'] as const) {
      await (await open(from, HERE)).signer.moveAuthority(move, { ...PROFILE, commonName: 'etcd-ca-2' });
      if (move === last) break;
    }
    expect(await export_()).toEqual({ isRotating: true });
    expect(await import_()).toEqual({ isRotating: true });
    const [old, now] = [await openStoredAuthority(options(from, HERE)), await openStoredAuthority(options(to, THERE))];
    expect(now.rotation()).toEqual(old.rotation());
    expect(now.rotation()).toBeDefined();
    expect(await signs(to, THERE)).toBe(true);
    // It goes on there, and back.
    if (last === 'trust-both') await now.move('sign-by-new', PROFILE);
    else await now.move('sign-by-old', PROFILE).catch(() => undefined);
    expect(await signs(to, THERE)).toBe(true);
  });
});

test('files that are public say so, and keys do not, also in a rotation; a password that is not there is not made', async () => {
  await rm(join(from, 'keepalived-auth-pass'));
  await (await open(from, HERE)).signer.moveAuthority('trust-both', { ...PROFILE, commonName: 'etcd-ca-2' });
  await export_();
  await import_();
  const modes = async (...names: readonly string[]): Promise<readonly string[]> =>
    Promise.all(names.map(async (name) => ((await stat(join(to, name))).mode & 0o777).toString(8)));
  expect(await modes('ca.crt', 'next/ca.crt', 'next/old.crt')).toEqual(['644', '644', '644']);
  expect(await modes('ca.key.age', 'next/ca.key.age')).toEqual(['600', '600']);
  const next = ['ca.crt', 'ca.key.age', 'old.crt'].map((name) => join('next', name));
  expect((await readdir(to, { recursive: true })).toSorted()).toEqual(['ca.crt', 'ca.key.age', 'next', ...next]);
});

test('nobody types a passphrase for what would be refused anyway', async () => {
  const nobody: PassphraseSource = {
    opening: () => Promise.reject(new Error('asked for a passphrase')),
    chosen: () => Promise.reject(new Error('asked for a passphrase')),
  };
  await export_();
  await expect(export_({ stored: nobody, travelling: nobody })).rejects.toMatchObject({ code: 'file-is-there' });
  await (await open(to, THERE)).signer.createAuthority(PROFILE);
  const refused = import_({ stored: nobody, travelling: nobody });
  await expect(refused).rejects.toMatchObject({
    code: 'authority-exists',
    hint: expect.stringContaining(to) as unknown,
  });
  const missing = import_({ directory: join(top, 'new'), file: join(top, 'none.age') });
  await expect(missing).rejects.toMatchObject({
    code: 'file-unreadable',
    message: expect.stringMatching(/none\.age cannot be read: .*ENOENT/) as unknown,
    cause: { code: 'ENOENT' },
  });
});

describe('an export', () => {
  test('replaces no file, and takes no passphrase that does not open the store', async () => {
    await expect(export_({ stored: source('wrong-passphrase') })).rejects.toMatchObject({ code: 'wrong-passphrase' });
    expect(await readdir(top)).not.toContain('exported.age');
    await writeFile(file, 'precious');
    await expect(export_()).rejects.toMatchObject({ code: 'file-is-there' });
    expect(await readFile(file, 'utf8')).toBe('precious');
  });

  test('needs the key', async () => {
    const bare = join(top, 'bare');
    mkdirSync(bare);
    await writeFile(join(bare, 'ca.crt'), await readFile(join(from, 'ca.crt')));
    await expect(export_({ directory: bare })).rejects.toMatchObject({ code: 'authority-key-missing' });
    await expect(export_({ directory: join(top, 'none') })).rejects.toMatchObject({ code: 'authority-key-missing' });
  });
});

describe('an import leaves nothing', () => {
  const nothing = async (): Promise<void> => {
    expect(await readdir(join(top, 'there')).catch(() => [])).toEqual([]);
  };

  test('of a wrong passphrase', async () => {
    await export_();
    await expect(import_({ travelling: source(HERE) })).rejects.toMatchObject({ code: 'wrong-passphrase' });
    await nothing();
  });

  test.each([
    ['cut', async () => truncate(file, 300), 'encrypted-file-damaged'],
    ['empty', async () => truncate(file, 0), 'encrypted-file-damaged'],
    [
      'another one',
      async () => writeFile(file, await encryptSecret(new Secret('{"formatVersion":1}'), new Secret(TRAVELLING), 4)),
      'no-export',
    ],
  ] as const)('of a file that is %s', async (_, breakIt, code) => {
    await export_();
    await breakIt();
    await expect(import_()).rejects.toMatchObject({ code });
    await nothing();
  });

  test('of the certificate of another key', async () => {
    const other = join(top, 'other');
    await (await open(other, HERE)).signer.createAuthority(PROFILE);
    await writeFile(join(other, 'ca.crt'), await readFile(join(from, 'ca.crt')));
    await expect(export_({ directory: other })).rejects.toMatchObject({
      code: 'no-export',
      message: 'the authority can not be moved: is not the key of this certificate',
    });
  });

  test('of the certificate of another key in a rotation', async () => {
    await (await open(from, HERE)).signer.moveAuthority('trust-both', { ...PROFILE, commonName: 'etcd-ca-2' });
    const other = join(top, 'other');
    await (await open(other, HERE)).signer.createAuthority(PROFILE);
    await writeFile(join(from, 'next', 'ca.crt'), await readFile(join(other, 'ca.crt')));
    await expect(export_()).rejects.toMatchObject({
      code: 'no-export',
      message: 'the authority can not be moved: is not the key of this certificate',
    });
  });

  test('where a store is made while it is read', async () => {
    await export_();
    const chosen = async (): Promise<Secret> => {
      await (await open(to, THERE)).signer.createAuthority(PROFILE);
      return new Secret(THERE);
    };
    await expect(import_({ stored: { ...source(THERE), chosen } })).rejects.toMatchObject({
      code: 'authority-exists',
      cause: { code: expect.stringMatching(/^(ENOTEMPTY|EEXIST)$/) as unknown },
    });
    expect((await readdir(to)).toSorted()).toEqual(['ca.crt', 'ca.key.age']);
    expect(await readdir(join(top, 'there'))).toEqual(['pki']);
  });

  test('where there is a store', async () => {
    await export_();
    await (await open(to, THERE)).signer.createAuthority(PROFILE);
    const before = await readFile(join(to, 'ca.crt'), 'utf8');
    await expect(import_()).rejects.toMatchObject({ code: 'authority-exists' });
    expect(await readFile(join(to, 'ca.crt'), 'utf8')).toBe(before);
    expect((await readdir(to)).toSorted()).toEqual(['ca.crt', 'ca.key.age']);
    expect(await readdir(join(top, 'there'))).toEqual(['pki']);
  });

  test('but goes into an empty directory', async () => {
    await export_();
    mkdirSync(to, { recursive: true });
    chmodSync(to, 0o755);
    await import_();
    expect((await stat(to)).mode & 0o777).toBe(0o700);
    expect(await signs(to, THERE)).toBe(true);
  });
});
