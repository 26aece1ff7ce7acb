import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import type { AuthorityMove } from '../../../src/model/authority-move.js';
import { Secret } from '../../../src/model/secret.js';
import { changePassphrase } from '../../../src/pki/change-passphrase.js';
import type { PassphraseSource } from '../../../src/pki/passphrase.js';
import { openStore, type WritableStore } from '../../../src/pki/store.js';
import { repeatableBytes, TODAY } from '../../support/test-authority.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const PROFILE = { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' } as const;
const [OLD, NEW] = ['correct-horse-planted', 'battery-staple-planted'];

let directory: string;

function source(text: string): PassphraseSource {
  const secret = new Secret(text);
  return { opening: (_, open) => open(secret), chosen: () => Promise.resolve(secret) };
}

function open(passphrase: string): Promise<WritableStore> {
  const common = { directory, now: () => TODAY, random: repeatableBytes(), scryptLogN: 4 };
  return openStore({ ...common, passphrase: source(passphrase) });
}

async function opens(passphrase: string): Promise<boolean> {
  const unlocked = (await open(passphrase)).signer.unlock([], () => {
    throw new Error('no host is asked');
  });
  return unlocked.then(
    () => true,
    () => false,
  );
}

function change(from: string, to: string): Promise<readonly string[]> {
  return changePassphrase({ directory, old: source(from), wanted: source(to), suffix: 'abc', scryptLogN: 4 });
}

beforeEach(async () => {
  directory = join(temporaryDirectory('passphrase'), 'pki');
  await (await open(OLD)).signer.createAuthority(PROFILE);
});

test('another passphrase opens the key, and the old one does no longer', async () => {
  expect(await change(OLD, NEW)).toEqual([join(directory, 'ca.key.age')]);
  expect([await opens(OLD), await opens(NEW)]).toEqual([false, true]);
  expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age']);
  expect(((await stat(join(directory, 'ca.key.age'))).mode & 0o777).toString(8)).toBe('600');
});

test('a wrong one changes nothing', async () => {
  const before = await readFile(join(directory, 'ca.key.age'), 'utf8');
  await expect(change('something-else', NEW)).rejects.toMatchObject({ code: 'wrong-passphrase' });
  expect(await readFile(join(directory, 'ca.key.age'), 'utf8')).toBe(before);
});

test('during a rotation both keys get it; a run that was killed between the two is finished', async () => {
  await (await open(OLD)).signer.moveAuthority('trust-both', { ...PROFILE, commonName: 'etcd-ca-2' });
  const first = await readFile(join(directory, 'ca.key.age'), 'utf8');
  expect(await change(OLD, NEW)).toHaveLength(2);
  await writeFile(join(directory, 'ca.key.age'), first);
  expect(await opens(NEW)).toBe(false);
  await change(OLD, NEW);
  expect(await opens(NEW)).toBe(true);
  await (await open(NEW)).signer.moveAuthority('sign-by-new', PROFILE);
  expect([await opens(OLD), await opens(NEW)]).toEqual([false, true]);
});

test('a rotation that ends while the new passphrase is typed keeps its key', async () => {
  const move = async (...moves: readonly AuthorityMove[]): Promise<void> => {
    for (const each of moves)
      await (await open(OLD)).signer.moveAuthority(each, { ...PROFILE, commonName: 'etcd-ca-2' });
  };
  await move('trust-both', 'sign-by-new', 'trust-new');
  const slow: PassphraseSource = { ...source(NEW), chosen: () => move('finish').then(() => new Secret(NEW)) };
  const changing = changePassphrase({ directory, old: source(OLD), wanted: slow, suffix: 'abc', scryptLogN: 4 });
  await expect(changing).rejects.toMatchObject({ code: 'store-changed' });
  expect(await opens(OLD)).toBe(true);
  expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key.age', 'former']);
});

test('a key that another run encrypts meanwhile stays as that one made it', async () => {
  const other = new Secret('another-one-planted');
  const slow: PassphraseSource = {
    ...source(NEW),
    chosen: async () => {
      await changePassphrase({
        ...{ directory, old: source(OLD), wanted: { ...source(NEW), chosen: () => Promise.resolve(other) } },
        ...{ suffix: 'def', scryptLogN: 4 },
      });
      return new Secret(NEW);
    },
  };
  const opening: PassphraseSource['opening'] = (_, attempt) => attempt(new Secret(OLD));
  const changing = changePassphrase({
    ...{ directory, old: { ...source(OLD), opening }, wanted: slow, suffix: 'abc', scryptLogN: 4 },
  });
  await expect(changing).rejects.toMatchObject({
    code: 'store-changed',
    message: expect.stringMatching(/pki\/ca\.key\.age was changed by another run/) as unknown,
  });
  expect([await opens(other.reveal()), await opens(NEW)]).toEqual([true, false]);
});

test('a store without a key has none', async () => {
  directory = join(directory, 'nothing');
  await expect(change(OLD, NEW)).rejects.toMatchObject({ code: 'authority-key-missing' });
});
