import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { EXIT } from '../../../src/model/errors.js';
import { openInventory, type InventoryOptions } from '../../../src/commands/inventory-options.js';
import { runProgram } from '../../../src/commands/program.js';
import { refuseSharedStore } from '../../../src/commands/refuse-shared-store.js';
import { encryptVault } from '../../support/encrypt-vault.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { verbContext } from '../../support/verb-context.js';

// Staging and production beside each other are the most common layout of Ansible's inventories.

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('shared-store');
});

/** Three members in a network of their own. */
function inventoryOf(network: string, variables = ''): string {
  const hosts = [1, 2, 3].map((number) => `        etcd-${number}: { ansible_host: ${network}.${number} }`);
  return `all:\n  vars: { etcd_lb_ip: ${network}.100${variables} }\n  children:\n    etcd:\n      hosts:\n${hosts.join('\n')}\n`;
}

const INI = `[etcd]\n${[1, 2, 3].map((number) => `etcd-${number} ansible_host=10.2.0.${number}`).join('\n')}\n[all:vars]\netcd_lb_ip=10.2.0.100\n`;

/** Three members behind one address, which forwards three ports. */
function forwarded(network: string, port: number): string {
  return [1, 2, 3].reduce(
    (text, number) =>
      text.replace(`${network}.${number} }`, `192.0.2.1, ansible_port: ${port + number}, ip: ${network}.${number} }`),
    inventoryOf(network),
  );
}

/** A value that nobody here can open. */
const LOCKED = encryptVault('planted', 'planted-password').replaceAll('\n', '\\n');

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

async function check(file: string, options: InventoryOptions = {}): Promise<void> {
  const context = { env: {} };
  const inventory = await openInventory(file, options, context);
  await refuseSharedStore({ file, inventory, cluster: describeCluster(inventory) }, options, context);
}

describe('another cluster beside the inventory', () => {
  test.each([
    ['in YAML', 'production.yaml', inventoryOf('10.2.0')],
    ['in YAML, with quotes', 'production.yml', inventoryOf('10.2.0').replace('etcd:', '"etcd":')],
    ['in INI, below a comment', 'production.ini', `# hosts\n${INI}`],
    ['in INI, of a name without an ending', 'production', INI],
    ['in INI, with its place as the ending', 'hosts.production', INI],
    [
      'in JSON',
      'production.json',
      '{"all": {"vars": {"etcd_lb_ip": "10.2.0.100"}, "children": {\n"etcd": {"hosts": {"a": {"ansible_host": "10.2.0.1"}}}}}}',
    ],
    [
      'with a member that has no address yet',
      'production.yaml',
      inventoryOf('10.2.0').replace('{ ansible_host: 10.2.0.1 }', '{ ansible_port: 22 }'),
    ],
    [
      'in JSON of one line',
      'production.json',
      '{"all":{"children":{"etcd":{"hosts":{"a":{"ansible_host":"10.2.0.1"}}}}}}',
    ],
    [
      'in YAML of one line',
      'production.yaml',
      'all: { children: { etcd: { hosts: { a: { ansible_host: 10.2.0.1 } } } } }\n',
    ],
    [
      'with a host beside etcd in common',
      'production.yaml',
      `${inventoryOf('10.2.0')}    monitoring: { hosts: { m: { ansible_host: 192.0.2.1 } } }\n`,
    ],
    [
      'whose password can not be opened',
      'production.yaml',
      inventoryOf('10.2.0', `, ansible_password: !vault "${LOCKED}"`),
    ],
    [
      'whose user a program would tell',
      'production.yaml',
      inventoryOf('10.2.0', `, ansible_user: "{{ lookup('env', 'X') }}"`),
    ],
    [
      'with something wrong in it',
      'production.yaml',
      inventoryOf('10.2.0', ', etcd_lb_mode: passthru, etcd_pki_store: pki'),
    ],
    [
      'that names a store, but not for its members',
      'production.yaml',
      `${inventoryOf('10.2.0')}    monitoring: { hosts: { m: { ansible_host: 10.2.0.9, etcd_pki_store: other } } }\n`,
    ],
    ['reached at the same address, which forwards other ports', 'production.yaml', forwarded('10.2.0', 2201)],
  ])('%s has the same authority: refused, from both sides', async (_, name, text) => {
    const staging = write('staging.yaml', forwarded('10.1.0', 2101));
    const production = write(name, text);
    const store = join(directory, 'pki');
    await expect(check(staging)).rejects.toMatchObject({
      code: 'shared-store',
      message: `${staging} and ${production} describe different clusters, and the authority of both is in ${store}: whoever has a certificate of one is let into the etcd of the other`,
      hint: expect.stringContaining('etcd_pki_store: pki;'),
    });
    // What is wrong there is said there.
    if (!/lookup|passthru|vault|ansible_port: 22 /.test(text))
      await expect(check(production)).rejects.toMatchObject({ code: 'shared-store' });
  });

  test('of which there is only a link', async () => {
    mkdirSync(join(directory, 'elsewhere'));
    symlinkSync(write('elsewhere/production.yaml', inventoryOf('10.2.0')), join(directory, 'production.yaml'));
    await expect(check(write('staging.yaml', inventoryOf('10.1.0')))).rejects.toMatchObject({ code: 'shared-store' });
  });

  test('that is encrypted as a whole', async () => {
    write('password', 'planted-password');
    const options = { vaultPasswordFile: join(directory, 'password') };
    const staging = write('staging.yaml', inventoryOf('10.1.0'));
    write('production.yaml', encryptVault(inventoryOf('10.2.0'), 'planted-password'));
    await expect(check(staging, options)).rejects.toMatchObject({ code: 'shared-store' });
  });

  test('whose store is the same behind a link', async () => {
    mkdirSync(join(directory, 'pki'));
    symlinkSync('pki', join(directory, 'linked'));
    write('production.yaml', inventoryOf('10.2.0', ', etcd_pki_store: linked'));
    await expect(check(write('staging.yaml', inventoryOf('10.1.0')))).rejects.toMatchObject({ code: 'shared-store' });
  });

  test('is refused with a name that no other one has', async () => {
    write('second.yaml', inventoryOf('10.2.0', ', etcd_pki_store: pki-2'));
    mkdirSync(join(directory, 'pki-3'));
    write('third.yaml', inventoryOf('10.3.0'));
    await expect(check(write('staging.yaml', inventoryOf('10.1.0')))).rejects.toMatchObject({
      hint: expect.stringContaining('another, such as pki-4\n'),
    });
  });

  test('reads the password of encrypted files once: it may come out of a pipe', async () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const staging = write('staging.yaml', inventoryOf('10.1.0'));
    write('production.yaml', encryptVault(inventoryOf('10.2.0'), 'planted-password'));
    const written = writeFile(pipe, 'planted-password');
    await expect(check(staging, { vaultPasswordFile: pipe })).rejects.toMatchObject({ code: 'shared-store' });
    await written;
  });

  test('is not refused where this inventory names its store, and the other one is until it names another', async () => {
    const staging = write('staging.yaml', inventoryOf('10.1.0', ', etcd_pki_store: pki'));
    const production = write('production.yaml', inventoryOf('10.2.0'));
    await check(staging);
    await expect(check(production)).rejects.toMatchObject({ code: 'shared-store' });
    write('production.yaml', inventoryOf('10.2.0', ', etcd_pki_store: pki-production'));
    await check(production);
  });

  test('is not refused where variables of both name one store: that is meant', async () => {
    const staging = write('staging.yaml', inventoryOf('10.1.0'));
    write('production.yaml', inventoryOf('10.2.0'));
    mkdirSync(join(directory, 'group_vars'));
    write('group_vars/all.yml', 'etcd_pki_store: shared\n');
    await check(staging);
  });
});

describe('beside another cluster', () => {
  let staging: string;
  beforeEach(() => {
    const text = inventoryOf('127.1.0', ', ansible_port: 1').replace('127.1.0.100', '10.1.0.100');
    staging = write('staging.yaml', text);
    write('production.yaml', inventoryOf('10.2.0'));
  });

  test.each([
    [['plan']],
    [['apply', '--yes']],
    [['certs', 'renew', '--all', '--yes']],
    [['ca', 'rotate', '--yes']],
    [['member', 'replace', '--yes']],
  ])('%j signs nothing', async (words) => {
    const host = words[0] === 'member' ? ['etcd-1'] : [];
    const { code, text } = await ended(...words, staging, ...host);
    expect([code, text]).toEqual([EXIT.unsafe, expect.stringContaining('provision explain shared-store')]);
  });

  test('what is for a cluster in need goes on', async () => {
    const { text } = await ended('snapshot', 'save', staging);
    expect(text).toContain('nothing listens on port 1');
    expect(text).not.toContain('explain shared-store');
  });
});

async function ended(
  ...words: readonly string[]
): Promise<{ readonly code: number | undefined; readonly text: string }> {
  const stream = new PassThrough();
  let code: number | undefined;
  const context = verbContext(stream, words, { HOME: directory, PROVISION_CA_PASSPHRASE: 'planted-passphrase' });
  await runProgram({ ...context, exit: (status) => (code = status) });
  return { code, text: String(stream.read() ?? '') };
}

describe('is the same cluster, or none', () => {
  test.each([
    ['another state of it, which has a host in common', 'five.yaml', inventoryOf('10.1.0').replace('.2 }', '.9 }')],
    [
      'a state of it in which its members leave',
      'former.yaml',
      `${inventoryOf('10.2.0')}    etcd_former: { hosts: { cp-1: { ansible_host: 10.9.0.1 }, cp-2: { ansible_host: 10.1.0.2 } } }\n`,
    ],
    [
      'another one, whose store a variable of its second member names',
      'production.yaml',
      inventoryOf('10.2.0').replace('10.2.0.2 }', '10.2.0.2, etcd_pki_store: other }'),
    ],
    [
      'one whose members have no addresses yet',
      'draft.yaml',
      'all: { children: { etcd: { hosts: { etcd-1: { etcd_data_dir: [1] } } } } }\n',
    ],
    ['an inventory that is wrong', 'broken.yaml', `${inventoryOf('10.2.0')}    etcd: [\n`],
    [
      'another state of it, which has its virtual IP',
      'moved.yaml',
      inventoryOf('10.2.0').replace('10.2.0.100', '10.1.0.100'),
    ],
    [
      'another way to it: by names and another port',
      'outside.yaml',
      [1, 2, 3].reduce(
        (text, number) =>
          text.replace(
            `ansible_host: 10.1.0.${number} }`,
            `ansible_host: Etcd-${number}.example.com., ansible_port: 2222, ip: 10.1.0.${number} }`,
          ),
        inventoryOf('10.1.0').replace('.100', '.99'),
      ),
    ],
    ['many empty lines', 'empty.yaml', '\n'.repeat(400_000)],
    ['a playbook', 'site.yaml', '- hosts: etcd\n  tasks: []\n'],
    ['a file of variables', 'vars.yaml', 'etcd_user: etcd\n'],
    ['what an editor left', '.production.yaml', inventoryOf('10.2.0')],
    ['a copy', 'production.yaml.bak', inventoryOf('10.2.0')],
    ['a copy of an editor', 'production.yaml~', inventoryOf('10.2.0')],
    ['notes', 'README.md', inventoryOf('10.2.0')],
    ['a log', 'apply.log', 'etcd: 10.2.0.1 started\netcd: 10.2.0.2 started\n'],
  ])('%s', async (_, name, text) => {
    write(name, text);
    await check(write('staging.yaml', inventoryOf('10.1.0')));
  });

  test('a link to itself, one to nothing, and a pipe', async () => {
    const staging = write('staging.yaml', inventoryOf('10.1.0'));
    symlinkSync(staging, join(directory, 'current.yaml'));
    symlinkSync(join(directory, 'gone.yaml'), join(directory, 'old.yaml'));
    execFileSync('mkfifo', [join(directory, 'pipe.yaml')]);
    await check(staging);
  });

  test('an inventory in a directory of its own', async () => {
    mkdirSync(join(directory, 'production'));
    write('production/inventory.yaml', inventoryOf('10.2.0'));
    await check(write('staging.yaml', inventoryOf('10.1.0')));
  });
});
