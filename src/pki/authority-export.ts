import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { readTextBounded, TYPED_FILE_BYTES } from '../model/read-bounded.js';
import { Secret } from '../model/secret.js';
import { certificatePath, keyPath, readAuthorityFiles } from './authority-files.js';
import { decryptSecret, encryptSecret } from './encryption.js';
import { readAuthority } from './import-authority.js';
import type { PassphraseSource } from './passphrase.js';
import { nextDirectory, oldPath, readRotationFiles } from './rotation-files.js';
import { readIfThere, replace, writeNew } from './store-files.js';

/** All that another machine needs to go on as this one did. Keys are in the clear in it: it exists in memory and encrypted only. */
const exported = z.strictObject({
  formatVersion: z.literal(1),
  kind: z.literal('etcd-authority'),
  /** The text of ca.crt. */
  bundle: z.string(),
  /** Of the store's own authority, PKCS#8, PEM. */
  key: z.string(),
  /** While a rotation lasts. */
  rotation: z.strictObject({ old: z.string(), new: z.string(), newKey: z.string() }).optional(),
  keepalivedAuthPass: z
    .string()
    .regex(/^[!-~]{1,8}$/)
    .optional(),
});

type Exported = z.infer<typeof exported>;

/** What is exported or imported, and how it is encrypted on either side. */
export interface AuthorityTransfer {
  /** Of the store, absolute. */
  readonly directory: string;
  /** The one file that travels. */
  readonly file: string;
  /** Opens the keys of the store, or encrypts them there. */
  readonly stored: PassphraseSource;
  /** Of the file. */
  readonly travelling: PassphraseSource;
  readonly now: Date;
  /** Random, for the names of staged files. */
  readonly suffix: string;
  /** scrypt's work factor, log2; tests take a small one. */
  readonly scryptLogN?: number | undefined;
}

/** What became of it, for a sentence. */
export interface Transferred {
  readonly isRotating: boolean;
}

const KEEPALIVED = 'keepalived-auth-pass';

/**
 * Writes the authority of a store, its keys, a rotation that is in progress and keepalived's password into one file, which is
 * encrypted with a passphrase of its own. The store stays as it is.
 * @throws ProvisionError `authority-key-missing`, `wrong-passphrase`, `passphrase-too-short`, `file-is-there`, `store-broken`
 */
export async function exportAuthority(transfer: AuthorityTransfer): Promise<Transferred> {
  const { directory, file, stored, travelling, suffix, scryptLogN } = transfer;
  if ((await readIfThere(file)) !== undefined) throw isThere(file);
  const { bundle } = await readAuthorityFiles(directory);
  const rotation = await readRotationFiles(directory, bundle ?? '');
  const key = await keyIn(directory, stored);
  if (bundle === undefined || key === undefined) throw noKey(directory);
  const newKey = rotation === undefined ? undefined : await keyIn(nextDirectory(directory), stored);
  const authPass = (await readIfThere(join(directory, KEEPALIVED)))?.trim();
  const content: Exported = {
    ...{ formatVersion: 1, kind: 'etcd-authority', bundle, key: key.reveal() },
    ...(rotation === undefined || newKey === undefined
      ? {}
      : { rotation: { old: rotation.old, new: rotation.new, newKey: newKey.reveal() } }),
    ...(authPass === undefined ? {} : { keepalivedAuthPass: authPass }),
  };
  requirePairs(content, transfer.now);
  const passphrase = await travelling.chosen(file);
  const text = await encryptSecret(new Secret(JSON.stringify(content)), passphrase, scryptLogN);
  if (!(await writeNew(file, text, 0o600, suffix))) throw isThere(file);
  return { isRotating: rotation !== undefined };
}

async function keyIn(directory: string, passphrase: PassphraseSource): Promise<Secret | undefined> {
  const path = keyPath(directory);
  const text = await readIfThere(path);
  return text === undefined ? undefined : passphrase.opening(path, (typed) => decryptSecret(text, typed, path));
}

/**
 * Makes a store of what {@link exportAuthority} wrote: all of it by one rename, or nothing. The keys are encrypted there with a
 * passphrase that is chosen here.
 * @throws ProvisionError `authority-exists`, `wrong-passphrase`, `encrypted-file-damaged`, `no-export`, `file-unreadable`
 */
export async function importExported(transfer: AuthorityTransfer): Promise<Transferred> {
  const { directory, file, stored, travelling, now, suffix, scryptLogN } = transfer;
  await requireEmpty(directory);
  const text = await readTextBounded(file, TYPED_FILE_BYTES).catch((cause: unknown) => {
    const why = fileReason(cause);
    throw new ProvisionError({ code: 'file-unreadable', message: `${file} cannot be read: ${why}`, cause });
  });
  const content = readContent(await travelling.opening(file, (typed) => decryptSecret(text, typed, file)), file);
  requirePairs(content, now);
  const passphrase = await stored.chosen(keyPath(directory));
  const encrypt = async (key: string): Promise<string> => encryptSecret(new Secret(key), passphrase, scryptLogN);
  const stage = `${directory}.${suffix}`;
  try {
    await replace(certificatePath(stage), content.bundle, 0o644, suffix);
    await replace(keyPath(stage), await encrypt(content.key), 0o600, suffix);
    if (content.keepalivedAuthPass !== undefined)
      await replace(join(stage, KEEPALIVED), `${content.keepalivedAuthPass}\n`, 0o600, suffix);
    if (content.rotation !== undefined) {
      const next = nextDirectory(stage);
      await replace(oldPath(stage), content.rotation.old, 0o644, suffix);
      await replace(certificatePath(next), content.rotation.new, 0o644, suffix);
      await replace(keyPath(next), await encrypt(content.rotation.newKey), 0o600, suffix);
    }
    // Over an empty directory it works, over any other it does not.
    await rename(stage, directory).catch((cause: unknown) => {
      throw notEmpty(directory, cause);
    });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
  return { isRotating: content.rotation !== undefined };
}

async function requireEmpty(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  if (names.length > 0) throw notEmpty(directory);
}

function readContent(opened: Secret, file: string): Exported {
  try {
    return exported.parse(JSON.parse(opened.reveal()));
  } catch {
    // The cause is not shown: it may quote what is in there.
    throw noExport(file, 'is an age file, and not one that `ca export` wrote');
  }
}

/** Each key is that of its certificate: a store of anything else could not sign. */
function requirePairs({ bundle, key, rotation }: Exported, now: Date): void {
  const [first = ''] = bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g) ?? [];
  const pairs = [
    { certificatePem: rotation?.old ?? first, keyPem: new Secret(key) },
    ...(rotation === undefined ? [] : [{ certificatePem: rotation.new, keyPem: new Secret(rotation.newKey) }]),
  ];
  for (const pair of pairs)
    try {
      readAuthority(pair, now);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw noExport('the authority', `can not be moved: ${error.problems.map(({ message }) => message).join('; ')}`);
    }
}

function noExport(subject: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'no-export',
    message: `${subject} ${why}`,
    hint: 'write it on the machine that has the authority: provision ca export STORE -o FILE',
  });
}

function isThere(file: string): ProvisionError {
  return new ProvisionError({
    code: 'file-is-there',
    message: `${file} is there: an export replaces no file`,
    hint: 'give another name: -o FILE',
  });
}

function noKey(directory: string): ProvisionError {
  return new ProvisionError({
    code: 'authority-key-missing',
    message: `there is no ${keyPath(directory)}: this machine has no key that could be moved`,
    hint: 'the certificate alone goes to another machine by: provision ca import STORE --certificate FILE',
  });
}

function notEmpty(directory: string, cause?: unknown): ProvisionError {
  return new ProvisionError({
    code: 'authority-exists',
    message: `${directory} is there, and is not empty: an authority that comes from another machine gets a directory of its own`,
    hint: `look at it with: provision ca show ${directory}`,
    cause,
  });
}
