import type { ReadableStream } from 'node:stream/web';
import type { Secret } from '../model/secret.js';
import { SCRYPT_LOG_N, translated } from './encryption.js';

/**
 * Encrypts with a passphrase, as it is read: `age -d` opens the result.
 * @param logN work factor, for tests; log2 of scrypt's N
 */
export async function encryptStream(
  plain: ReadableStream<Uint8Array>,
  passphrase: Secret,
  logN = SCRYPT_LOG_N,
): Promise<ReadableStream<Uint8Array>> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase.reveal());
  encrypter.setScryptWorkFactor(logN);
  return encrypter.encrypt(plain);
}

/**
 * Opens what {@link encryptStream} or `age -p` made, as it is read.
 * @param subject what is opened, for the error
 * @throws ProvisionError `wrong-passphrase`, `encrypted-file-damaged`, the latter also in the middle
 */
export async function* decryptStream(
  encrypted: ReadableStream<Uint8Array>,
  passphrase: Secret,
  subject: string,
): AsyncGenerator<Uint8Array> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase.reveal());
  try {
    yield* await decrypter.decrypt(encrypted);
  } catch (cause) {
    throw translated(cause, subject);
  }
}
