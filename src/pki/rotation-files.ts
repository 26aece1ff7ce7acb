import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { certificatePath, keyPath, writeAuthorityFiles } from './authority-files.js';
import type { StoreRotation } from './authority.js';
import { readCertificates } from './inspect.js';
import { readIfThere, replace, writeNew } from './store-files.js';

/** The new authority while a rotation lasts: a store of its own, within the store. */
export function nextDirectory(directory: string): string {
  return join(directory, 'next');
}

/** The certificate of the old authority, for as long as a rotation lasts: ca.crt may hold the new one alone. */
export function oldPath(directory: string): string {
  return join(nextDirectory(directory), 'old.crt');
}

/** Where an authority that no host trusts any more is kept. @param certificatePem its certificate */
export function formerDirectory(directory: string, certificatePem: string): string {
  const [certificate] = readCertificates(certificatePem);
  const name = (certificate?.fingerprint256 ?? '').replaceAll(':', '').slice(0, 16).toLowerCase();
  return join(directory, 'former', name);
}

/** What stands in the files of a rotation; nothing where none is in progress. @param bundle the text of ca.crt */
export async function readRotationFiles(directory: string, bundle: string): Promise<StoreRotation | undefined> {
  const next = nextDirectory(directory);
  const [newPem, newKey, oldPem] = await Promise.all(
    [certificatePath(next), keyPath(next), oldPath(directory)].map(async (path) => readIfThere(path)),
  );
  // Files are read as they were written: a directory without one is of a run that was killed before it began.
  if (newPem === undefined || newKey === undefined || oldPem === undefined) return undefined;
  const has = pemsIn(bundle);
  const [both, others] = [[oldPem, newPem].map(trimmed), has.map(trimmed)];
  const [holdsOld, holdsNew] = both.map((pem) => others.includes(pem));
  return {
    old: oldPem,
    new: newPem,
    others: has.filter((pem) => !both.includes(trimmed(pem))),
    signing: trimmed(has[0] ?? '') === trimmed(newPem) ? 'new' : 'old',
    trusted: holdsOld === true && holdsNew === true ? 'both' : holdsNew === true ? 'new' : 'old',
  };
}

/** The certificates of a bundle, each as PEM. */
function pemsIn(bundle: string): readonly string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g) ?? [];
}

function trimmed(pem: string): string {
  return pem.trim();
}

/** A store's directory, and the random part of the names of its staged files. */
interface Place {
  readonly directory: string;
  readonly suffix: string;
}

/**
 * A new authority that is there, but in no rotation, is kept as a former one: it may be that someone lost a file of a
 * rotation in which its key signs.
 */
async function keepAside(directory: string): Promise<void> {
  const next = nextDirectory(directory);
  const pem = await readIfThere(certificatePath(next));
  if (pem !== undefined) await keepAsFormer(directory, pem);
  else await rm(next, { recursive: true, force: true });
}

/** @param pem the certificate in `next` */
async function keepAsFormer(directory: string, pem: string): Promise<void> {
  const former = formerDirectory(directory, pem);
  await mkdir(dirname(former), { recursive: true, mode: 0o700 });
  await rename(nextDirectory(directory), former);
}

/**
 * Writes the new authority beside the old. A run that is killed in here leaves what {@link readRotationFiles} does not
 * take for a rotation, or all of it: the encrypted key of what a host may get is on the disk before.
 * @param pems certificates
 */
export async function writeNext(
  { directory, suffix }: Place,
  pems: { readonly old: string; readonly new: string },
  encryptedKey: string,
): Promise<void> {
  const next = nextDirectory(directory);
  await keepAside(directory);
  await replace(oldPath(directory), pems.old, 0o644, suffix);
  await writeAuthorityFiles(next, pems.new, encryptedKey, suffix);
}

/**
 * Ends a rotation: the authority that hosts trust is the store's own, and the other one is kept under `former/`. Each step
 * is one rename, and leaves a store that reads the same.
 */
export async function endRotation({ directory, suffix }: Place, rotation: StoreRotation): Promise<void> {
  const next = nextDirectory(directory);
  if (rotation.trusted === 'new') {
    const [oldKey, newKey] = await Promise.all([readIfThere(keyPath(directory)), readIfThere(keyPath(next))]);
    if (newKey === undefined) throw new Error(`${keyPath(next)} was there a moment ago`);
    if (oldKey !== undefined && oldKey !== newKey) {
      const former = formerDirectory(directory, rotation.old);
      await replace(certificatePath(former), rotation.old, 0o644, suffix);
      // One that is there is of a run that was killed in here: what stands in the store by now may be the new key, though it differs.
      await writeNew(keyPath(former), oldKey, 0o600, suffix);
    }
    await replace(keyPath(directory), newKey, 0o600, suffix);
    await rm(oldPath(directory));
    await rm(next, { recursive: true });
    return;
  }
  await keepAsFormer(directory, rotation.new);
}
