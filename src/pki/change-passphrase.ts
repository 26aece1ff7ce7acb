import { ProvisionError } from '../model/errors.js';
import { keyPath } from './authority-files.js';
import { decryptSecret, encryptSecret } from './encryption.js';
import type { PassphraseSource } from './passphrase.js';
import { nextDirectory } from './rotation-files.js';
import { readIfThere, replace } from './store-files.js';

/** Whose passphrase is changed, and to which. */
export interface PassphraseChange {
  /** Of the store. */
  readonly directory: string;
  readonly old: PassphraseSource;
  readonly wanted: PassphraseSource;
  /** Random, for the names of staged files. */
  readonly suffix: string;
  /** scrypt's work factor, log2; tests take a small one. */
  readonly scryptLogN?: number | undefined;
}

/**
 * Encrypts the key of a store's authority with another passphrase; during a rotation both keys. All are opened before the
 * first is written, each is replaced by one rename, and what a run that was killed has changed already is opened by the new one.
 * @returns the files
 * @throws ProvisionError `wrong-passphrase`, `passphrase-too-short`, `authority-key-missing`, `store-changed`; nothing is changed
 */
export async function changePassphrase(change: PassphraseChange): Promise<readonly string[]> {
  const { directory, old, wanted, suffix, scryptLogN } = change;
  const paths = [keyPath(nextDirectory(directory)), keyPath(directory)];
  const found = await Promise.all(paths.map(async (path) => ({ path, text: await readIfThere(path) })));
  if (found.every(({ text }) => text === undefined)) throw noKey(directory);
  const secret = await wanted.chosen(keyPath(directory));
  const keys = [];
  for (const { path, text } of found) {
    if (text === undefined) continue;
    const key = await old.opening(path, (typed) =>
      decryptSecret(text, typed, path).catch((error: unknown) =>
        decryptSecret(text, secret, path).catch(() => {
          throw error;
        }),
      ),
    );
    keys.push({ path, encrypted: await encryptSecret(key, secret, scryptLogN) });
  }
  // Typing takes minutes, and a rotation that went on meanwhile has other keys there.
  for (const { path, text } of found) if ((await readIfThere(path)) !== text) throw changedMeanwhile(path);
  for (const { path, encrypted } of keys) await replace(path, encrypted, 0o600, suffix);
  return keys.map(({ path }) => path);
}

function changedMeanwhile(path: string): ProvisionError {
  return new ProvisionError({
    code: 'store-changed',
    message: `${path} was changed by another run while the passphrases were asked for; nothing was written`,
    hint: 'run the same command again: it uses what is there now',
  });
}

function noKey(directory: string): ProvisionError {
  return new ProvisionError({
    code: 'authority-key-missing',
    message: `there is no ${keyPath(directory)}: it has no passphrase that could be changed`,
    hint: 'look at the store with: provision ca show STORE',
  });
}
