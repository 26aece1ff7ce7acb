import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { IssueCertificate } from '../../../src/model/action.js';
import { Secret } from '../../../src/model/secret.js';
import type { PassphraseSource } from '../../../src/pki/passphrase.js';
import { openStore, type WritableStore } from '../../../src/pki/store.js';
import { authorityFrom, repeatableBytes, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Name of the copies of what is replaced. */
const COPY = '20261125T120000.000Z.0';

const PROFILE = { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' } as const;
const PASSPHRASE = 'correct-horse-planted';
const ISSUE: IssueCertificate = {
  kind: 'issue-certificate',
  certificate: 'etcd-server',
  profile: SERVER_PROFILE,
  destination: { layout: 'pair', certificatePath: '/pki/server.crt', keyPath: '/pki/server.key' },
  owner: 'etcd',
  group: 'etcd',
  mode: '0600',
};

let parent: string;
let directory: string;

beforeEach(async () => {
  parent = temporaryDirectory('store');
  directory = join(parent, 'pki');
});

/** A passphrase source that counts how often it was asked. */
function typed(passphrase: string): PassphraseSource & { readonly asked: string[] } {
  const asked: string[] = [];
  const answer = (subject: string): Promise<Secret> => {
    asked.push(subject);
    return Promise.resolve(new Secret(passphrase));
  };
  return { asked, opening: async (subject, open) => open(await answer(subject)), chosen: answer };
}

function open(passphrase: PassphraseSource = typed(PASSPHRASE)): Promise<WritableStore> {
  return openStore({ directory, passphrase, now: () => TODAY, random: repeatableBytes(), scryptLogN: 4 });
}

/** No host is asked. */
function nobody(): never {
  throw new Error('not part of this test');
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe('an empty store', () => {
  test('is opened without making anything or asking for anything', async () => {
    const passphrase = typed(PASSPHRASE);
    const store = await open(passphrase);
    expect(store.authority.certificate()).toBeUndefined();
    expect(store.authority.trustBundle()).toBeUndefined();
    expect(store.keepalivedAuthPass.isKept()).toBe(false);
    expect(passphrase.asked).toEqual([]);
    expect(await readdir(parent)).toEqual([]);
  });

  test('signs nothing, and says what to do', async () => {
    const store = await open();
    await expect(store.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY)).rejects.toMatchObject({
      code: 'authority-missing',
    });
    expect(() => store.signer.trustBundle()).toThrow('no certificate authority');
  });
});

describe('a new authority', () => {
  test('lands with its key encrypted, for its owner only, and nothing else', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age']);
    expect(await modeOf(directory)).toBe('700');
    expect(await modeOf(join(directory, 'ca.key.age'))).toBe('600');
    expect(await modeOf(join(directory, 'ca.crt'))).toBe('644');
    expect(await readFile(join(directory, 'ca.key.age'), 'utf8')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
  });

  test('signs at once, and in a later run after one question', async () => {
    const first = await open();
    await first.signer.createAuthority(PROFILE);
    await expect(first.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY)).resolves.toBeDefined();

    const passphrase = typed(PASSPHRASE);
    const later = await open(passphrase);
    expect(later.authority.certificate()).toBe(first.authority.certificate());
    await later.signer.unlock([], nobody);
    await Promise.all([
      later.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY),
      later.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY),
    ]);
    expect(passphrase.asked).toEqual([join(directory, 'ca.key.age')]);
  });

  test('is never overwritten, by whatever way', async () => {
    const early = await open();
    await (await open()).signer.createAuthority(PROFILE);
    const before = await readFile(join(directory, 'ca.key.age'), 'utf8');
    const exists = { code: 'authority-exists' };
    await expect((await open()).signer.createAuthority(PROFILE)).rejects.toMatchObject(exists);
    // Opened before the other run made one.
    await expect(early.signer.createAuthority(PROFILE)).rejects.toMatchObject(exists);
    await expect((await open()).importAuthority(await authorityFrom(TODAY))).rejects.toMatchObject(exists);
    expect(await readFile(join(directory, 'ca.key.age'), 'utf8')).toBe(before);
    expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age']);
  });

  test('does not open with another passphrase, and says which file', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    const wrong = (await open(typed('battery-staple'))).signer.unlock([], nobody);
    await expect(wrong).rejects.toMatchObject({
      code: 'wrong-passphrase',
      message: `wrong passphrase for ${join(directory, 'ca.key.age')}`,
    });
  });

  test.each([
    ['a damaged key file', (text: string) => `${text.slice(0, 200)}\n`, 'encrypted-file-damaged'],
    ['a changed byte', (text: string) => text.replace(/^(.*\n.*\n)./, '$1+'), 'encrypted-file-damaged'],
  ])('%s differs from a wrong passphrase', async (_, damage, code) => {
    await (await open()).signer.createAuthority(PROFILE);
    const path = join(directory, 'ca.key.age');
    await writeFile(path, damage(await readFile(path, 'utf8')));
    await expect((await open()).signer.unlock([], nobody)).rejects.toMatchObject({ code });
  });
});

describe('a store that lost a file', () => {
  test('a key without its certificate stops everything', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    await rm(join(directory, 'ca.crt'));
    await expect(open()).rejects.toMatchObject({ code: 'store-broken' });
  });

  // [what became of ca.crt, from its text]
  const DAMAGED: readonly [string, (text: string) => string][] = [
    ['cut in the middle', (text) => text.slice(0, 300)],
    ['cut before its last line', (text) => text.slice(0, text.indexOf('-----END'))],
    ['empty', () => ''],
    ['garbled', (text) => text.replace(/^(-----BEGIN.*\n).{8}/, '$1AAAAAAAA')],
    ['something else', () => 'Permission denied\n'],
    ['followed by half of another', (text) => text + text.slice(0, 300)],
    ['followed by a key', (text) => `${text}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`],
  ];

  test.each(DAMAGED)('a ca.crt that is %s is never taken for no authority', async (_, damage) => {
    await (await open()).signer.createAuthority(PROFILE);
    const path = join(directory, 'ca.crt');
    const whole = await readFile(path, 'utf8');
    await writeFile(path, damage(whole));
    await expect(open()).rejects.toMatchObject({
      code: 'store-broken',
      message: expect.stringContaining(`${path} is damaged`),
      hint: expect.stringContaining('put ca.crt back'),
    });
    await writeFile(path, whole);
    expect((await open()).authority.certificate()).toBe(whole);
  });

  test('a directory in place of ca.crt stops everything, with what to look at', async () => {
    await mkdir(join(directory, 'ca.crt'), { recursive: true });
    await expect(open()).rejects.toMatchObject({ code: 'store-broken', hint: expect.stringContaining('ls -ld') });
  });

  test('a run that was killed between the two files of an authority is finished by the next one', async () => {
    const killed = await open();
    const certificate = join(directory, 'ca.crt');
    // What stands in its way ends the run just there.
    await mkdir(certificate, { recursive: true });
    await expect(killed.signer.createAuthority(PROFILE)).rejects.toMatchObject({ code: 'authority-exists' });
    await rmdir(certificate);
    expect((await readdir(directory)).sort()).toEqual(['ca.crt.making', 'ca.key.age']);

    const next = await open();
    const pem = next.authority.certificate();
    expect(await readdir(directory)).not.toContain('ca.crt');
    await next.signer.unlock([], nobody);
    expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age']);
    expect(await readFile(certificate, 'utf8')).toBe(pem);
    expect((await open()).authority.certificate()).toBe(pem);
  });

  test('a certificate without its key can be trusted; nothing is signed here, and what to do is said', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    await rm(join(directory, 'ca.key.age'));
    const store = await open();
    expect(store.authority.trustBundle()).toContain('BEGIN CERTIFICATE');
    await expect(store.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY)).rejects.toMatchObject({
      code: 'signatures-missing',
      hint: expect.stringContaining('put ca.key.age back'),
    });
  });
});

describe('an authority whose key is kept externally', () => {
  test('comes as its certificate alone, asks for no passphrase, and is no obstacle to itself', async () => {
    const { certificatePem } = await authorityFrom(TODAY);
    const passphrase = typed(PASSPHRASE);
    const store = await open(passphrase);
    await store.importCertificate(certificatePem);
    await store.importCertificate(certificatePem);
    expect(await readdir(directory)).toEqual(['ca.crt']);
    expect(await modeOf(join(directory, 'ca.crt'))).toBe('644');
    expect([store.authority.isExternal?.(), (await open()).authority.isExternal?.()]).toEqual([true, true]);
    expect((await open()).authority.certificate()).toBe(store.authority.certificate());
    expect(passphrase.asked).toEqual([]);
  });

  test('gets its key later, and signs here from then on', async () => {
    const authority = await authorityFrom(TODAY);
    const store = await open();
    await store.importCertificate(authority.certificatePem);
    const before = await readFile(join(directory, 'ca.crt'), 'utf8');
    await store.importAuthority(authority);
    expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age']);
    expect(await modeOf(join(directory, 'ca.key.age'))).toBe('600');
    expect(await readFile(join(directory, 'ca.crt'), 'utf8')).toBe(before);
    expect(store.authority.isExternal?.()).toBe(false);
    const later = await open();
    expect(later.authority.isExternal?.()).toBe(false);
    await expect(later.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY)).resolves.toBeDefined();
  });

  test('is never overwritten, by whatever way', async () => {
    const [one, other] = [await authorityFrom(TODAY), await authorityFrom(TODAY)];
    const early = await open();
    await (await open()).importCertificate(one.certificatePem);
    const exists = { code: 'authority-exists' };
    await expect((await open()).importCertificate(other.certificatePem)).rejects.toMatchObject(exists);
    await expect(early.importCertificate(other.certificatePem)).rejects.toMatchObject(exists);
    await expect((await open()).importAuthority(other)).rejects.toMatchObject(exists);
    await expect((await open()).signer.createAuthority(PROFILE)).rejects.toMatchObject(exists);
    expect(await readdir(directory)).toEqual(['ca.crt']);
    // With its key in the store, neither the key nor the certificate comes a second time.
    await (await open()).importAuthority(one);
    await expect((await open()).importAuthority(one)).rejects.toMatchObject(exists);
  });

  test('does not come beside the key and the draft of one that was half made', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    await rename(join(directory, 'ca.crt'), join(directory, 'ca.crt.making'));
    const { certificatePem } = await authorityFrom(TODAY);
    const refused = (await open()).importCertificate(certificatePem);
    await expect(refused).rejects.toMatchObject({ code: 'authority-exists' });
    expect((await readdir(directory)).sort()).toEqual(['ca.crt.making', 'ca.key.age']);
  });

  test('that ends soon is not brought in, with its key or without', async () => {
    const ending = await authorityFrom(TODAY, 29);
    const store = await open();
    const refused = { code: 'input-invalid', message: expect.stringContaining('ends on 2026-12-20') };
    await expect(store.importCertificate(ending.certificatePem)).rejects.toMatchObject(refused);
    await expect(store.importAuthority(ending)).rejects.toMatchObject(refused);
    await store.importAuthority(await authorityFrom(TODAY, 31));
  });

  test('is refused when its certificate is none of an authority, or the key is of another', async () => {
    const [one, other] = [await authorityFrom(TODAY), await authorityFrom(TODAY)];
    const store = await open();
    await expect(store.importCertificate('no certificate')).rejects.toMatchObject({ code: 'input-invalid' });
    await store.importCertificate(one.certificatePem);
    const mixed = store.importAuthority({ certificatePem: one.certificatePem, keyPem: other.keyPem });
    await expect(mixed).rejects.toMatchObject({ code: 'input-invalid' });
    expect(await readdir(directory)).toEqual(['ca.crt']);
  });
});

describe('a trust bundle of two', () => {
  test('signs with the first, and gives both to trust', async () => {
    const store = await open();
    await store.signer.createAuthority(PROFILE);
    const [own, other] = [store.authority.certificate() ?? '', (await authorityFrom(TODAY)).certificatePem];
    await writeFile(join(directory, 'ca.crt'), own + other);
    const later = await open();
    expect(later.authority.certificate()).toBe(own);
    expect(later.authority.trustBundle()).toBe(own + other);
    await expect(later.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY)).resolves.toBeDefined();
  });
});

describe("keepalived's password", () => {
  test('is made up in memory, and written only when it is kept', async () => {
    const store = await open();
    const password = store.keepalivedAuthPass.value().reveal();
    expect(password).toMatch(/^[A-Za-z0-9]{8}$/);
    expect(await readdir(parent)).toEqual([]);

    await store.signer.keepSecret('keepalived-auth-pass');
    expect(store.keepalivedAuthPass.isKept()).toBe(true);
    expect(await modeOf(join(directory, 'keepalived-auth-pass'))).toBe('600');
    const later = await open();
    expect(later.keepalivedAuthPass.value().reveal()).toBe(password);
    expect(later.keepalivedAuthPass.isKept()).toBe(true);
  });

  test('that another run kept meanwhile is not overwritten', async () => {
    const early = await open();
    await (await open()).signer.keepSecret('keepalived-auth-pass');
    const overtaken = early.signer.keepSecret('keepalived-auth-pass');
    await expect(overtaken).rejects.toMatchObject({
      code: 'store-changed',
      message: `another run has written ${join(directory, 'keepalived-auth-pass')} since this one began`,
    });
  });

  test('that keepalived cannot use is refused', async () => {
    await (await open()).signer.keepSecret('keepalived-auth-pass');
    await writeFile(join(directory, 'keepalived-auth-pass'), 'ten-letters\n');
    await expect(open()).rejects.toMatchObject({ code: 'store-broken' });
  });
});

describe('secrets', () => {
  test('a signed leaf shows its key only on stdin', async () => {
    const store = await open();
    await store.signer.createAuthority(PROFILE);
    const { command, undo } = await store.signer.issue({ host: 'etcd-1', action: ISSUE }, COPY);
    const printed = [
      JSON.stringify([command, undo('kept'), store]),
      inspect([command, undo('kept'), store], { depth: 9 }),
    ].join('\n');
    expect(printed).not.toMatch(/PRIVATE KEY-----\n/);
    // The same search finds it where it is meant to be.
    expect(command.stdin instanceof Secret ? command.stdin.reveal() : '').toMatch(/PRIVATE KEY-----\n/);
  });
});
