import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { ProvisionError } from '../model/errors.js';
import type { Secret } from '../model/secret.js';

const HEADER = /^\$ANSIBLE_VAULT;(1\.[012]);(\w+)(?:;[^\n]*)?\r?\n/;

// ansible/parsing/vault/__init__.py, class VaultAES256: PBKDF2-HMAC-SHA256, 10 000 rounds, 80 bytes: cipher key, HMAC
// key, counter block.
const ROUNDS = 10_000;
const KEY_BYTES = 32;
const COUNTER_BYTES = 16;

/** Whether a whole file, or a `!vault` value, is Ansible Vault text. */
export function isVaultText(text: string): boolean {
  return text.startsWith('$ANSIBLE_VAULT;');
}

/**
 * Decrypts Ansible Vault text, formats 1.1 and 1.2, AES256.
 * @param subject what it is, for the error
 * @throws ProvisionError `vault` without a password, with a wrong one, or for another format
 */
export function decryptVault(vaultText: string, password: Secret | undefined, subject: string): string {
  if (password === undefined) {
    throw vaultError(
      `${subject} is encrypted by Ansible Vault, and there is no password`,
      'give --vault-password-file FILE',
    );
  }
  const header = HEADER.exec(vaultText);
  if (header?.[1] === '1.0' || header?.[2] !== 'AES256') {
    throw vaultError(
      `${subject} is not Ansible Vault 1.1 or 1.2 with AES256`,
      'encrypt it again: ansible-vault rekey FILE',
    );
  }
  const body = Buffer.from(vaultText.slice(header[0].length).replace(/\s+/g, ''), 'hex').toString('latin1');
  const [salt, mac, cipherText] = body.split('\n').map((part) => Buffer.from(part, 'hex'));
  if (salt === undefined || mac === undefined || cipherText === undefined) {
    throw vaultError(`${subject} is damaged: expected a salt, a checksum and cipher text in hexadecimal`);
  }
  const keys = pbkdf2Sync(password.reveal(), salt, ROUNDS, 2 * KEY_BYTES + COUNTER_BYTES, 'sha256');
  const expected = createHmac('sha256', keys.subarray(KEY_BYTES, 2 * KEY_BYTES))
    .update(cipherText)
    .digest();
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    throw vaultError(
      `${subject} does not open with this vault password`,
      'check the file given with --vault-password-file',
    );
  }
  const decipher = createDecipheriv('aes-256-ctr', keys.subarray(0, KEY_BYTES), keys.subarray(2 * KEY_BYTES));
  const padded = Buffer.concat([decipher.update(cipherText), decipher.final()]);
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0)).toString('utf8');
}

function vaultError(message: string, hint?: string): ProvisionError {
  return new ProvisionError({ code: 'vault', message, hint });
}
