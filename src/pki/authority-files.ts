import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { quote } from '../shell/quote.js';
import { readCertificates } from './inspect.js';
import { readIfThere, replace, writeNew } from './store-files.js';

/** What stands in the files of a store's authority. */
export interface FoundAuthority {
  /** The text of ca.crt, or of its draft. */
  readonly bundle: string | undefined;
  readonly hasKey: boolean;
  /** There is a key, but ca.crt is still to be written: the run that made them was killed in between. */
  readonly isDraft: boolean;
}

/** The authority's certificates, in plain: the signing one, then others that hosts should trust. */
export function certificatePath(directory: string): string {
  return join(directory, 'ca.crt');
}

/** The authority's encrypted key. */
export function keyPath(directory: string): string {
  return join(directory, 'ca.key.age');
}

/** The certificate of an authority that is being made. */
function draftPath(directory: string): string {
  return join(directory, 'ca.crt.making');
}

/**
 * Reads what an authority's files say without a passphrase.
 * @throws ProvisionError `store-broken`
 */
export async function readAuthorityFiles(directory: string): Promise<FoundAuthority> {
  const [certificate, key, draft] = await Promise.all(
    [certificatePath, keyPath, draftPath].map(async (path) => read(path(directory))),
  );
  const hasKey = key !== undefined;
  const bundle = certificate ?? (hasKey ? draft : undefined);
  if (bundle !== undefined) refuseDamaged((certificate === undefined ? draftPath : certificatePath)(directory), bundle);
  if (bundle === undefined && hasKey)
    throw new ProvisionError({
      code: 'store-broken',
      message: `${keyPath(directory)} has no ${certificatePath(directory)} beside it`,
      hint: 'put ca.crt back, from a backup or from a host',
    });
  return { bundle, hasKey, isDraft: hasKey && certificate === undefined };
}

/** A directory, or a file that may not be read, is not "no authority": a plan would make a new one. */
async function read(path: string): Promise<string | undefined> {
  return readIfThere(path).catch((cause: unknown) => {
    throw new ProvisionError({
      code: 'store-broken',
      message: `${path} cannot be read: ${fileReason(cause)}`,
      hint: `a file was expected, readable for whoever runs this: ls -ld ${quote(path)}`,
      cause,
    });
  });
}

/** A file that holds less than it should is never taken for "no authority", nor half a bundle for a whole one. */
function refuseDamaged(path: string, text: string): void {
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  const certificates = readCertificates(text);
  const readable = certificates.filter((each) => each !== undefined).length;
  if (readable > 0 && readable === begun) return;
  const holds = begun === 0 ? 'no certificate' : `${begun} PEM blocks, and only ${readable} readable certificates`;
  throw new ProvisionError({
    code: 'store-broken',
    message: `${path} is damaged: it holds ${holds}. No new authority is made in its place: the hosts trust this one`,
    hint: 'put ca.crt back, from a backup or from a host (/etc/etcd/pki/ca.crt, or what its etcd has as trusted-ca-file)',
  });
}

/**
 * Writes a new authority: the key first, so that a certificate never stands there without one by accident, and before it a
 * draft of the certificate, for a run that is killed in between.
 * @param encryptedKey as age armours it
 * @param suffix random, for the names of staged files
 * @returns `false` when there is an authority already; it is left as it is
 */
export async function writeAuthorityFiles(
  directory: string,
  certificatePem: string,
  encryptedKey: string,
  suffix: string,
): Promise<boolean> {
  await replace(draftPath(directory), certificatePem, 0o644, suffix);
  if (await writeNew(keyPath(directory), encryptedKey, 0o600, suffix))
    return placeCertificate(directory, certificatePem, suffix);
  await removeDraft(directory);
  return false;
}

/** The last step of making an authority. @returns `false` when there is a ca.crt already; it is left as it is */
export async function placeCertificate(directory: string, certificatePem: string, suffix: string): Promise<boolean> {
  if (!(await writeNew(certificatePath(directory), certificatePem, 0o644, suffix))) return false;
  await removeDraft(directory);
  return true;
}

/** Another run may have removed it. */
async function removeDraft(directory: string): Promise<void> {
  await rm(draftPath(directory), { force: true });
}
