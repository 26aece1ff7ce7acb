import { createCipheriv, createHmac, pbkdf2Sync } from 'node:crypto';

/**
 * A text as Ansible Vault 1.1 (ansible/parsing/vault/__init__.py, class VaultAES256), for tests that plant a secret.
 * @param salt fixed, so that a test is the same each time
 */
export function encryptVault(text: string, password: string, salt = 'planted-salt'.padEnd(32)): string {
  const keys = pbkdf2Sync(password, salt, 10_000, 80, 'sha256');
  const pad = 16 - (Buffer.byteLength(text) % 16);
  const cipher = createCipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64));
  const sealed = cipher.update(text + String.fromCharCode(pad).repeat(pad), 'utf8', 'hex') + cipher.final('hex');
  const mac = createHmac('sha256', keys.subarray(32, 64)).update(Buffer.from(sealed, 'hex')).digest('hex');
  const body = Buffer.from([Buffer.from(salt).toString('hex'), mac, sealed].join('\n')).toString('hex');
  return ['$ANSIBLE_VAULT;1.1;AES256', ...(body.match(/.{1,80}/g) ?? [])].join('\n');
}
