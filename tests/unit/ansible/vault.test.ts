import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { readVaultPassword } from '../../../src/ansible/vault-password.js';
import { decryptVault } from '../../../src/ansible/vault.js';
import { Secret } from '../../../src/model/secret.js';
import { hostOf, writeFiles } from '../../support/write-inventory.js';

// Encrypted by the real ansible-vault.
const ROOM = 'fixtures/inventories/vault';
const wholeFile = readFileSync(`${ROOM}/host_vars/etcd-1.yml`, 'utf8');

describe('decryptVault', () => {
  test('opens what ansible-vault made', async () => {
    const text = decryptVault(wholeFile, await readVaultPassword(`${ROOM}/password.txt`), 'the file');
    expect(text).toBe('hidden_text: whole-file-secret\nhidden_number: 4711\nhidden_flag: true\n');
  });

  test.each([
    ['without a password', wholeFile, undefined, 'there is no password'],
    ['with another password', wholeFile, new Secret('other'), 'does not open with this vault password'],
    ['damaged', `${wholeFile.slice(0, 60)}zz`, new Secret('x'), 'damaged'],
    ['another cipher', '$ANSIBLE_VAULT;1.0;AES\nabcd', new Secret('x'), 'is not Ansible Vault 1.1 or 1.2'],
  ])('%s is refused', (_, text, password, message) => {
    expect(() => decryptVault(text, password, 'the file')).toThrow(message);
  });
});

describe('vault values of an inventory', () => {
  test('are opened when they are used, and hidden in what is shown', async () => {
    const vaultPassword = await readVaultPassword(`${ROOM}/password.txt`);
    const inventory = await loadInventory(`${ROOM}/hosts.yml`, { vaultPassword });
    const text = inventory.render('etcd-1', 'pass {{ keepalived_auth_pass }} of {{ hidden_text }}');
    expect(text.reveal()).toBe('pass S3cr3tPw of whole-file-secret');
    expect(text.redacted).toBe('pass [redacted] of [redacted]');
  });

  test('do not keep an inventory from loading without the password', async () => {
    const inventory = await loadInventory('fixtures/inventories/vault-inline/hosts.yml');
    const { variables } = hostOf(inventory, 'etcd-1');
    expect(variables.get('plain')).toBe(1);
    expect(() => variables.get('with_vault')).toThrow('keepalived_auth_pass of etcd-1 is encrypted by Ansible Vault');
  });

  test('a file that is encrypted as a whole needs it', async () => {
    await expect(loadInventory(`${ROOM}/hosts.yml`)).rejects.toMatchObject({
      code: 'vault',
      hint: 'give --vault-password-file FILE',
    });
  });

  test('an empty password file is refused', async () => {
    await expect(readVaultPassword(`${writeFiles({ password: '\n' })}/password`)).rejects.toThrow('is empty');
    await expect(readVaultPassword('/tmp')).rejects.toThrow(/vault password file .tmp: .*EISDIR/);
    await expect(readVaultPassword('/dev/zero')).rejects.toThrow(
      /vault password file .dev.zero: .*holds more than 64 KiB/,
    );
    await expect(readVaultPassword('/nonexistent/password')).rejects.toThrow('/nonexistent/password');
  });
});
