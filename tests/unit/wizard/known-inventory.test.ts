import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { Secret } from '../../../src/model/secret.js';
import { knownInventory, type KnownInventory } from '../../../src/wizard/known-inventory.js';
import { renderInventory } from '../../../src/wizard/render-inventory.js';
import { encryptVault } from '../../support/encrypt-vault.js';
import { LEAST_ANSWERS } from '../../support/wizard-answers.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

async function load(text: string, variables: Readonly<Record<string, string>> = {}) {
  const directory = temporaryDirectory('known');
  for (const [name, content] of Object.entries(variables)) {
    mkdirSync(join(directory, 'group_vars'), { recursive: true });
    writeFileSync(join(directory, 'group_vars', name), content);
  }
  writeFileSync(join(directory, 'hosts.ini'), text);
  const vaultPassword = new Secret('opens');
  return loadInventory(join(directory, 'hosts.ini'), { provided: PROVIDED_VARIABLES, vaultPassword });
}

async function known(text: string, variables?: Readonly<Record<string, string>>): Promise<KnownInventory> {
  return knownInventory(await load(text, variables));
}

const PLAIN = 'a ansible_host=10.0.0.1\nb ansible_host=10.0.0.2\nc ansible_host=10.0.0.3\n';

describe('an inventory to start from', () => {
  test.each([
    ['today’s names', '[etcd]\na\n[kube_control_plane]\nb\n[etcd_lb]\nc\n', ['a'], ['b'], ['c']],
    ['kubespray’s earlier names', '[etcd]\na\n[kube-master]\nb\n', ['a'], ['b'], []],
    ['roles’ names', '[masters]\nb\n[haproxy]\nc\n', [], ['b'], ['c']],
    ['the first name that has hosts', '[kube_control_plane]\n[kube-master]\nb\n', [], ['b'], []],
    ['a group of groups', '[etcd:children]\nx\n[x]\na\nb\n', ['a', 'b'], [], []],
  ])('has its hosts by what they are: %s', async (_, groups, members, controlPlanes, balancers) => {
    expect(await known(PLAIN + groups)).toMatchObject({ members, controlPlanes, balancers });
  });

  test('gives the hosts that have a role, or all where none has', async () => {
    const names = (found: KnownInventory): readonly string[] => found.hosts.map(({ name }) => name);
    expect(names(await known(`${PLAIN}[etcd]\nb\n`))).toEqual(['b']);
    expect(names(await known(`${PLAIN}[web]\nb\n`)).toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('gives the user and the key that all have, else each host its own', async () => {
    const all = `${PLAIN}[all:vars]\nansible_user=ops\nansible_ssh_private_key_file=/k/a\n`;
    expect(await known(all)).toMatchObject({ user: 'ops', privateKeyFile: '/k/a', hosts: [{}, {}, {}] });
    expect((await known(all)).hosts[0]).toEqual({ name: 'a', address: '10.0.0.1' });
    const apart = await known('a ansible_host=10.0.0.1 ansible_user=x\nb ansible_host=10.0.0.2 ansible_user=y\n');
    expect(apart).toMatchObject({
      user: undefined,
      hosts: [{ connection: { user: 'x' } }, { connection: { user: 'y' } }],
    });
  });

  test('copies no secret, and says so', async () => {
    const { left, hosts } = await known(PLAIN, {
      'all.yml': 'ansible_password: planted-1\nansible_become: true\nansible_become_password: planted-2\n',
    });
    expect(left).toHaveLength(6);
    expect(left[0]).toBe('a: its SSH password is a secret, and is not copied: -k asks for it');
    expect(JSON.stringify({ left, hosts })).not.toContain('planted');
  });

  test('becomes root where a host has a user of its own, and where all log in as root', () => {
    const text = renderInventory({
      ...LEAST_ANSWERS,
      members: [
        { name: 'a', address: '10.0.0.1', connection: { user: 'debian' } },
        { name: 'b', address: '10.0.0.2', connection: { user: 'root' } },
      ],
    });
    expect(text).toMatch(/ansible_user: debian\n +ansible_become: true/);
    expect(text).toMatch(/ansible_user: root\n +ansible_become: false/);
  });

  test('copies no arguments for ssh that are sealed, or that hold a password', async () => {
    const sealed = encryptVault('-o ProxyCommand="sshpass -p planted-3 ssh b -W %h:%p"', 'opens').replaceAll(
      '\n',
      '\n  ',
    );
    const files = { 'all.yml': `ansible_ssh_common_args: !vault |\n  ${sealed}\n` };
    const plain = { 'all.yml': 'ansible_ssh_common_args: -o ProxyCommand="sshpass -p planted-4 ssh b"\n' };
    for (const variables of [files, plain]) {
      const { hosts, left } = await known(PLAIN, variables);
      expect(left[0]).toBe('a: its arguments for ssh hold a secret, and are not copied: put them into ~/.ssh/config');
      expect(JSON.stringify(hosts)).not.toContain('sshpass');
    }
    const { hosts, left } = await known(PLAIN, { 'all.yml': 'ansible_ssh_common_args: -J bastion\n' });
    expect([hosts[0]?.connection?.sshArgs, left]).toEqual(['-J bastion', []]);
  });

  test('is written again with the same ways to its hosts', async () => {
    const before = await load(
      [
        'a ansible_host=jump.example.com ip=10.0.0.1 ansible_port=2222',
        'b ansible_host=10.0.0.2 ansible_user=x ansible_ssh_common_args="-J bastion -o Compression=yes"',
        'c ansible_host=10.0.0.3 ansible_ssh_private_key_file=/keys/c',
        '[etcd]\na\nb\nc\n',
      ].join('\n'),
    );
    const { hosts } = knownInventory(before);
    const text = renderInventory({ ...LEAST_ANSWERS, members: hosts, sshUser: 'ops' });
    const file = join(temporaryDirectory('written'), 'inventory.yaml');
    writeFileSync(file, text);
    const after = await loadInventory(file, { provided: PROVIDED_VARIABLES });
    // The user of all is written for all; what a host has of its own stays its own.
    const waysOf = ({ hosts }: typeof before): unknown =>
      [...hosts.values()].map(({ name, connection: { address, port, privateKeyFile, sshArgs } }) => [
        ...[name, address, port, privateKeyFile, sshArgs],
      ]);
    expect(waysOf(after)).toEqual(waysOf(before));
    expect(['a', 'b', 'c'].map((name) => after.hosts.get(name)?.connection.user)).toEqual(['ops', 'x', 'ops']);
    expect(['a', 'b', 'c'].map((name) => after.hosts.get(name)?.connection.become?.method)).toEqual([
      'sudo',
      'sudo',
      'sudo',
    ]);
    expect(after.hosts.get('a')?.variables.get('ip')).toBe('10.0.0.1');
  });
});
