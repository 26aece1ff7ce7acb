import { ProvisionError } from '../model/errors.js';
import { Secret } from '../model/secret.js';

/** age's own default; about a second on the machine that decrypts. */
export const SCRYPT_LOG_N = 18;

/**
 * Encrypts with a passphrase. The result is an armored age file: `age -d` opens it too.
 * @param logN work factor, for tests; log2 of scrypt's N
 */
export async function encryptSecret(secret: Secret, passphrase: Secret, logN = SCRYPT_LOG_N): Promise<string> {
  const { armor, Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase.reveal());
  encrypter.setScryptWorkFactor(logN);
  return armor.encode(await encrypter.encrypt(secret.reveal()));
}

/**
 * Opens what {@link encryptSecret} or `age -p -a` made.
 * @param subject what is opened, for the error
 * @throws ProvisionError `wrong-passphrase`, `encrypted-file-damaged`
 */
export async function decryptSecret(text: string, passphrase: Secret, subject: string): Promise<Secret> {
  const { armor, Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase.reveal());
  try {
    return new Secret(await decrypter.decrypt(armor.decode(text), 'text'));
  } catch (cause) {
    throw translated(cause, subject);
  }
}

/** The error of the library in the words of a person. */
export function translated(cause: unknown, subject: string): ProvisionError {
  // The library's words for a passphrase that opens nothing.
  if (cause instanceof Error && cause.message.includes('no identity matched'))
    return new ProvisionError({
      code: 'wrong-passphrase',
      message: `wrong passphrase for ${subject}`,
      hint: 'give the passphrase that it was made with: --passphrase-file FILE, or PROVISION_CA_PASSPHRASE',
    });
  return new ProvisionError({
    code: 'encrypted-file-damaged',
    message: `${subject} is not a complete age file`,
    hint: 'put it back from a backup',
    cause,
  });
}
