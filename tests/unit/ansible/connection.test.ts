import { describe, expect, test } from '@jest/globals';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../../src/model/secret.js';
import { hostOf, loadFiles, writeFiles } from '../../support/write-inventory.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';

describe('connection', () => {
  test('comes from the ansible_ variables', async () => {
    const inventory = await loadFiles(
      {
        'hosts.yml': `
all:
  vars:
    jump: bastion.example.com
    ansible_ssh_common_args: -o ProxyJump={{ jump }}
    ansible_ssh_extra_args: -4
    ansible_user: ops
    ansible_ssh_private_key_file: ~/.ssh/lab
    ansible_become: "yes"
    ansible_become_user: admin
    ansible_become_pass: planted-become
    ansible_ssh_pass: planted-login
  hosts:
    a:2222: { ansible_host: 192.0.2.1 }
`,
      },
      { home: '/home/me' },
    );
    const { connection } = hostOf(inventory, 'a');
    expect(connection).toEqual({
      address: '192.0.2.1',
      port: 2222,
      user: 'ops',
      privateKeyFile: '/home/me/.ssh/lab',
      privateKeyNamedBy: expect.stringMatching(/^ansible_ssh_private_key_file of .*hosts\.yml:8:5$/),
      password: new Secret('planted-login'),
      sshArgs: '-o ProxyJump=bastion.example.com -4',
      become: { method: 'sudo', user: 'admin', password: new Secret('planted-become') },
    });
    expect(connection.become?.password?.reveal()).toBe('planted-become');
    expect(connection.password?.reveal()).toBe('planted-login');
  });

  test('leaves to ssh what is not set', async () => {
    const inventory = await loadFiles({ 'hosts.ini': 'a\n' });
    expect(hostOf(inventory, 'a').connection).toEqual({ address: 'a' });
  });

  test("Ansible's order of ssh's arguments, host key checking and time-out", async () => {
    const inventory = await loadFiles({
      'hosts.yml': `
all:
  vars:
    ansible_ssh_args: -o ProxyJump=first
    ansible_host_key_checking: false
    ansible_ssh_timeout: 3
    ansible_ssh_common_args: -o ProxyJump=second
    ansible_ssh_extra_args: -4
  hosts: { a: , b: { ansible_ssh_host_key_checking: true } }
`,
    });
    const end = '-o ConnectTimeout=3 -o ProxyJump=second -4';
    expect(hostOf(inventory, 'a').connection.sshArgs).toBe(`-o ProxyJump=first -o StrictHostKeyChecking=no ${end}`);
    expect(hostOf(inventory, 'b').connection.sshArgs).toBe(`-o ProxyJump=first ${end}`);
  });

  test.each([
    ['-H -S -n', ['-H']],
    ['-HSn', ['-H']],
    ['-S -n', []],
    ['-i --preserve-env=LANG --group=adm --stdin', ['-i', '--preserve-env=LANG', '--group=adm']],
  ])('sudo flags %j', async (flags, expected) => {
    const inventory = await loadFiles({
      'hosts.yml': `all: { hosts: { a: { ansible_become: true, ansible_become_exe: /usr/local/bin/sudo, ansible_become_flags: '${flags}' } } }`,
    });
    expect(hostOf(inventory, 'a').connection.become).toMatchObject({ program: '/usr/local/bin/sudo', flags: expected });
  });

  test.each([
    ['ansible_ssh_executable: /opt/ssh', /ansible_ssh_executable: is not supported/],
    ['ansible_ssh_pkcs11_provider: x.so', /ansible_ssh_pkcs11_provider: is not supported.*ssh-agent/],
    ['ansible_become_flags: -u other', /ansible_become_flags: '-u' is not supported/],
    ['ansible_become_flags: -A', /ansible_become_flags: '-A' is not supported/],
    ['ansible_become_exe: /usr/bin/doas', /ansible_become_exe: '\/usr\/bin\/doas' is not supported/],
    ['ansible_become_exe: sudo; reboot', /ansible_become_exe: /],
    ['ansible_ssh_timeout: soon', /ansible_ssh_timeout: 'soon' is not a number/],
  ])('%s is refused by name', async (line, message) => {
    const files = { 'hosts.yml': `all: { hosts: { a: { ansible_become: true } }, vars: { ${line} } }` };
    const inventory = await loadFiles(files);
    expect(() => hostOf(inventory, 'a').connection).toThrow(message);
  });

  test('a relative key stands beside the inventory, or where the program was started', async () => {
    const directory = writeFiles({
      'inventory/hosts.yml':
        'all: { hosts: { a: { ansible_private_key_file: key }, b: { ansible_private_key_file: keys/b } } }',
      'inventory/key': '',
      'keys/b': '',
    });
    const inventory = await loadInventory('inventory/hosts.yml', { workingDirectory: directory });
    expect(hostOf(inventory, 'a').connection.privateKeyFile).toBe(join(directory, 'inventory/key'));
    expect(hostOf(inventory, 'a').connection.privateKeyNamedBy).toMatch(
      /^ansible_private_key_file of .*inventory.*:1:\d+$/,
    );
    expect(hostOf(inventory, 'b').connection.privateKeyFile).toBe(join(directory, 'keys/b'));
  });

  test('all that is wrong is reported at once, with its place', async () => {
    const inventory = await loadFiles({
      'hosts.ini': 'a ansible_port=70000 ansible_connection=docker ansible_become=perhaps ansible_user=[1]\n',
    });
    expect(() => hostOf(inventory, 'a').connection).toThrow(
      /:1:3: ansible_port: '70000' is not a port.*:1:22: ansible_connection: 'docker' is not supported.*:1:71: ansible_user: expected a text.*ansible_become: 'perhaps'/s,
    );
  });

  test('truth values have the words that Ansible has for them, and each SSH its name', async () => {
    const words = ['true', 'yes', 'on', '1', 'y', 't', 'Yes', 'false', 'no', 'off', '0', 'n', 'f', 'OFF'];
    const names = ['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'ansible.builtin.ssh', 'ansible.builtin.paramiko_ssh'];
    const hosts = [
      ...words.map((word) => `"${word}": { ansible_become: "${word}" }`),
      ...names.map((name) => `${name}: { ansible_connection: ${name} }`),
    ];
    const inventory = await loadFiles({ 'hosts.yml': `all: { hosts: { ${hosts.join(', ')} } }` });
    const become = (word: string): boolean => hostOf(inventory, word).connection.become !== undefined;
    expect(words.map(become)).toEqual([...Array<boolean>(7).fill(true), ...Array<boolean>(7).fill(false)]);
    expect(names.map((name) => hostOf(inventory, name).connection)).toEqual(names.map((address) => ({ address })));
  });

  test('the home of a key file is that of who runs the program', async () => {
    const inventory = await loadFiles({ 'hosts.ini': 'a ansible_private_key_file=~/key\n' });
    expect(hostOf(inventory, 'a').connection.privateKeyFile).toBe(join(homedir(), 'key'));
  });

  test('only sudo becomes another user', async () => {
    const inventory = await loadFiles({ 'hosts.ini': 'a ansible_become=true ansible_become_method=su\n' });
    expect(() => hostOf(inventory, 'a').connection).toThrow("'su' is not supported, only sudo is");
  });
});
