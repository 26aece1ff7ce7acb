import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { IssueCertificate } from '../../../src/model/action.js';
import type { AuthorityMove } from '../../../src/model/authority-move.js';
import { Secret } from '../../../src/model/secret.js';
import { changePassphrase } from '../../../src/pki/change-passphrase.js';
import type { PassphraseSource } from '../../../src/pki/passphrase.js';
import { formerDirectory } from '../../../src/pki/rotation-files.js';
import { openStore, type WritableStore } from '../../../src/pki/store.js';
import { readCertificates, subjectOf } from '../../../src/pki/inspect.js';
import { repeatableBytes, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const OLD = { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' } as const;
const NEW = { commonName: 'etcd-ca-2', days: 3650, keyType: 'ecdsa-p256' } as const;
const ISSUE: IssueCertificate = {
  kind: 'issue-certificate',
  certificate: 'etcd-server',
  profile: SERVER_PROFILE,
  destination: { layout: 'bundle', path: '/pki/server.pem' },
  owner: 'root',
  group: 'root',
  mode: '0600',
};

let directory: string;

beforeEach(async () => {
  directory = join(temporaryDirectory('rotation'), 'pki');
  await (await open()).signer.createAuthority(OLD);
});

/** As a run opens it: nothing of an earlier one is remembered. */
function open(): Promise<WritableStore> {
  const secret = new Secret('correct-horse-planted');
  return openStore({
    directory,
    passphrase: { opening: (_, attempt) => attempt(secret), chosen: () => Promise.resolve(secret) },
    now: () => TODAY,
    random: repeatableBytes(),
    scryptLogN: 4,
  });
}

async function move(...moves: readonly AuthorityMove[]): Promise<void> {
  for (const each of moves) await (await open()).signer.moveAuthority(each, NEW);
}

/** Names of the authorities in ca.crt, and of the one that really signs. */
async function state(): Promise<string> {
  const store = await open();
  const bundle = readCertificates(store.authority.trustBundle() ?? '').map(
    (each) => each && subjectOf(each).commonName,
  );
  const { command } = await store.signer.issue({ host: 'etcd-1', action: ISSUE }, 'copy');
  const [leaf] = readCertificates(command.stdin instanceof Secret ? command.stdin.reveal() : '');
  return `${bundle.join(' + ')}, signed by ${leaf?.issuer.replace('CN=', '') ?? 'nobody'}`;
}

describe('a rotation in the store', () => {
  test('goes through its steps, each in a run of its own, and back', async () => {
    await move('trust-both');
    expect(await state()).toBe('etcd-ca + etcd-ca-2, signed by etcd-ca');
    await move('sign-by-new');
    expect(await state()).toBe('etcd-ca-2 + etcd-ca, signed by etcd-ca-2');
    await move('sign-by-old');
    expect(await state()).toBe('etcd-ca + etcd-ca-2, signed by etcd-ca');
    await move('trust-old', 'finish');
    expect(await state()).toBe('etcd-ca, signed by etcd-ca');
    expect((await open()).authority.rotation?.()).toBeUndefined();
    expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age', 'former']);
    expect((await stat(join(directory, 'former'))).mode & 0o777).toBe(0o700);
  });

  test('is kept under the first sixteen digits of the fingerprint of the authority', async () => {
    const pem = (await open()).authority.certificate() ?? '';
    const digits = (readCertificates(pem)[0]?.fingerprint256 ?? '').split(':').slice(0, 8).join('').toLowerCase();
    expect(formerDirectory('/pki', pem)).toBe(`/pki/former/${digits}`);
  });

  test('ends with the new one alone; the old one with its key is kept', async () => {
    const old = (await open()).authority.certificate() ?? '';
    const oldKey = await readFile(join(directory, 'ca.key.age'), 'utf8');
    await move('trust-both', 'sign-by-new', 'trust-new');
    expect(await state()).toBe('etcd-ca-2, signed by etcd-ca-2');
    await move('finish');
    expect(await state()).toBe('etcd-ca-2, signed by etcd-ca-2');
    expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age', 'former']);
    const former = formerDirectory(directory, old);
    expect(await readFile(join(former, 'ca.crt'), 'utf8')).toBe(old);
    expect(await readFile(join(former, 'ca.key.age'), 'utf8')).toBe(oldKey);
    const modes = [
      join(former, 'ca.crt'),
      join(former, 'ca.key.age'),
      join(directory, 'ca.crt'),
      join(directory, 'ca.key.age'),
    ];
    expect(await Promise.all(modes.map(async (path) => (await stat(path)).mode & 0o777))).toEqual([
      ...[0o644, 0o600, 0o644, 0o600],
    ]);
    expect((await stat(join(directory, 'former'))).mode & 0o777).toBe(0o700);
    // And again, from the new one on.
    await move('trust-both');
    expect((await open()).authority.rotation?.()).toMatchObject({ signing: 'old', trusted: 'both' });
  });

  test('what hosts trust beside both stays', async () => {
    const other = (await open()).authority.certificate() ?? '';
    await rm(directory, { recursive: true });
    await (await open()).signer.createAuthority(OLD);
    const own = (await open()).authority.certificate() ?? '';
    await writeFile(join(directory, 'ca.crt'), own + other);
    await move('trust-both', 'sign-by-new', 'trust-new', 'finish');
    expect((await open()).authority.trustBundle()).toContain(other.trim());
    expect((await open()).authority.trustBundle()).not.toContain(own.trim());
  });

  test.each([
    ['trust-new', ['trust-both']],
    ['trust-old', ['trust-both', 'sign-by-new']],
    ['sign-by-new', []],
    ['finish', ['trust-both']],
  ] as const)('%s is refused where leaves would be trusted by nobody, or nothing fits', async (last, before) => {
    await move(...before);
    const was = await readFile(join(directory, 'ca.crt'), 'utf8');
    await expect(move(last)).rejects.toMatchObject({ code: 'store-changed' });
    expect(await readFile(join(directory, 'ca.crt'), 'utf8')).toBe(was);
  });

  test('a key that signs is never deleted, though a file of its rotation is lost', async () => {
    await move('trust-both', 'sign-by-new');
    const { new: pem = '' } = (await open()).authority.rotation?.() ?? {};
    const key = await readFile(join(directory, 'next', 'ca.key.age'), 'utf8');
    await rm(join(directory, 'next', 'old.crt'));
    await move('trust-both');
    expect(await readFile(join(formerDirectory(directory, pem), 'ca.key.age'), 'utf8')).toBe(key);
  });

  test.each(['ca.crt', 'ca.key.age', 'old.crt'])('is none without %s', async (name) => {
    await move('trust-both');
    expect((await open()).authority.rotation?.()).toBeDefined();
    await rm(join(directory, 'next', name));
    expect((await open()).authority.rotation?.()).toBeUndefined();
  });

  test('a step that was made already writes nothing', async () => {
    const written = async (): Promise<number> => (await stat(join(directory, 'ca.crt'))).ino;
    await move('trust-both');
    const before = await written();
    await move('trust-both');
    expect(await written()).toBe(before);
    await move('sign-by-new');
    expect(await written()).not.toBe(before);
  });

  test('a step that was made already changes nothing', async () => {
    await move('trust-both', 'trust-both', 'sign-by-new', 'sign-by-new', 'trust-new', 'trust-new', 'finish', 'finish');
    expect(await state()).toBe('etcd-ca-2, signed by etcd-ca-2');
  });

  test('a run that was opened before another one has changed the store writes nothing', async () => {
    await move('trust-both');
    const early = await open();
    await move('sign-by-new');
    await expect(early.signer.moveAuthority('trust-old', NEW)).rejects.toMatchObject({ code: 'store-changed' });
  });
});

describe('a run that was killed in the middle', () => {
  test('of making the new authority: nothing is in progress, and the next run makes one', async () => {
    const whole = join(temporaryDirectory('rotation'), 'whole');
    await move('trust-both');
    await cp(join(directory, 'next'), whole, { recursive: true });
    const both = await readFile(join(directory, 'ca.crt'), 'utf8');
    const old = (await open()).authority.rotation?.()?.old ?? '';
    // In the order in which they are written; ca.crt comes last.
    const files = ['old.crt', 'ca.crt.making', 'ca.key.age', 'ca.crt'];
    for (let written = 0; written < files.length; written += 1) {
      await rm(join(directory, 'next'), { recursive: true, force: true });
      await writeFile(join(directory, 'ca.crt'), old);
      await mkdir(join(directory, 'next'));
      for (const file of files.slice(0, written))
        await cp(join(whole, file.replace('.making', '')), join(directory, 'next', file));
      expect((await open()).authority.rotation?.()).toBeUndefined();
      expect(await state()).toBe('etcd-ca, signed by etcd-ca');
      await move('trust-both');
      expect(await state()).toBe('etcd-ca + etcd-ca-2, signed by etcd-ca');
    }
    // All of it, but for ca.crt: the next run goes on with the very same one.
    await writeFile(join(directory, 'ca.crt'), old);
    const made = (await open()).authority.rotation?.()?.new;
    await move('trust-both');
    expect((await open()).authority.rotation?.()?.new).toBe(made);
    expect(await readFile(join(directory, 'ca.crt'), 'utf8')).not.toBe(both);
  });

  test('of the end: the new one signs, whatever was written', async () => {
    await move('trust-both', 'sign-by-new', 'trust-new');
    const rotation = (await open()).authority.rotation?.();
    const former = formerDirectory(directory, rotation?.old ?? '');
    const oldKey = await readFile(join(directory, 'ca.key.age'), 'utf8');
    await mkdir(former, { recursive: true });
    await writeFile(join(former, 'ca.crt'), rotation?.old ?? '');
    expect(await state()).toBe('etcd-ca-2, signed by etcd-ca-2');
    await writeFile(join(former, 'ca.key.age'), oldKey);
    await cp(join(directory, 'next', 'ca.key.age'), join(directory, 'ca.key.age'));
    expect(await state()).toBe('etcd-ca-2, signed by etcd-ca-2');
    // What is kept is not written over by the key that stands in its place by now.
    await move('finish');
    expect(await readFile(join(former, 'ca.key.age'), 'utf8')).toBe(oldKey);
    expect(await state()).toBe('etcd-ca-2, signed by etcd-ca-2');
  });

  test('of the end, and its passphrase was changed before the next: the key of the old one is still kept', async () => {
    await move('trust-both', 'sign-by-new', 'trust-new');
    const former = formerDirectory(directory, (await open()).authority.rotation?.()?.old ?? '');
    const oldKey = await readFile(join(directory, 'ca.key.age'), 'utf8');
    await cp(join(directory, 'next'), join(directory, 'whole'), { recursive: true });
    await move('finish');
    await rename(join(directory, 'whole'), join(directory, 'next'));
    // Encrypted anew, the two files of the new key are not the same any more.
    const same = new Secret('correct-horse-planted');
    const passphrase: PassphraseSource = {
      opening: (_, attempt) => attempt(same),
      chosen: () => Promise.resolve(same),
    };
    await changePassphrase({ directory, old: passphrase, wanted: passphrase, suffix: 'cafe', scryptLogN: 4 });
    await move('finish');
    expect(await readFile(join(former, 'ca.key.age'), 'utf8')).toBe(oldKey);
    expect(await state()).toBe('etcd-ca-2, signed by etcd-ca-2');
  });
});
