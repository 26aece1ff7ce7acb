import { ProvisionError } from '../model/errors.js';
import type { StdinFile } from '../model/remote.js';
import type { Secret } from '../model/secret.js';
import type { PassphraseSource } from '../pki/passphrase.js';
import { digestSnapshot } from './snapshot-digest.js';
import { digestFile, isEncrypted, readSnapshot } from './snapshot-file.js';
import type { SnapshotManifest } from './snapshot-manifest.js';
import { manifestPath, readManifest } from './snapshot-store.js';

/** A snapshot that is whole. */
export interface CheckedSnapshot {
  readonly path: string;
  /** Absent: others saved it, and only its own checksum was compared. */
  readonly manifest: SnapshotManifest | undefined;
  readonly passphrase: Secret | undefined;
  /** Of the snapshot itself, decrypted. */
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Reads a snapshot from its first byte to its last and compares it with its manifest and with the checksum that etcd put
 * at its end.
 * @throws ProvisionError `snapshot-damaged`, `wrong-passphrase`, `encrypted-file-damaged`, `file-unreadable`
 */
export async function checkSnapshot(path: string, source: PassphraseSource): Promise<CheckedSnapshot> {
  const encrypted = await isEncrypted(path);
  const manifest = await readManifest(path);
  const passphrase = encrypted ? await source.opening(path, (typed) => tryOn(path, typed)) : undefined;
  if (manifest !== undefined) {
    const { fileBytes, fileSha256 } = await digestFile(path);
    if (fileBytes !== manifest.fileBytes)
      throw damaged(path, `it has ${fileBytes} bytes, and its manifest says ${manifest.fileBytes}`);
    if (fileSha256 !== manifest.fileSha256) throw damaged(path, 'its SHA-256 is not that of its manifest');
  }
  const digest = digestSnapshot();
  for await (const chunk of readSnapshot(path, passphrase)) digest.add(chunk);
  const { bytes, sha256, isSealed } = digest.end();
  if (manifest !== undefined && sha256 !== manifest.sha256)
    throw damaged(path, 'the SHA-256 of its content is not that of its manifest');
  if (!isSealed) throw damaged(path, 'the checksum at its end, which etcd writes, does not match its content');
  return { path, manifest, passphrase, bytes, sha256 };
}

/** Reads the beginning; what else is wrong with it is found later. @throws ProvisionError `wrong-passphrase` */
async function tryOn(path: string, passphrase: Secret): Promise<Secret> {
  const content = readSnapshot(path, passphrase);
  try {
    await content.next();
  } catch (error) {
    if (error instanceof ProvisionError && error.code === 'wrong-passphrase') throw error;
  } finally {
    await content.return(undefined);
  }
  return passphrase;
}

function damaged(path: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'snapshot-damaged',
    message: `${path} is damaged or incomplete: ${why}`,
    hint: `take another one: provision snapshot list INVENTORY; its manifest is ${manifestPath(path)}`,
  });
}

/** A checked snapshot as the stdin of a command: decrypted while it is sent. */
export function asStdin({ path, passphrase, bytes, sha256 }: CheckedSnapshot): StdinFile {
  return { bytes, sha256, read: () => readSnapshot(path, passphrase) };
}
