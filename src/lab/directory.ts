import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { readIfThere } from './files.js';
import { runTool } from './process.js';
import type { Lab } from './state.js';
import type { HostRole, LabHost } from './topology.js';

/** Says that a directory belongs to a lab, and to which: only such a directory is ever removed. */
const MARKER = '.provision-lab';

/** Users that every lab host knows. `root` and `deploy` need no password; `ops` needs {@link OPS_PASSWORD} for sudo. */
export type LabUser = 'root' | 'ops' | 'deploy';

/** The sudo password of `ops` on lab hosts (build-image.sh). No secret: it opens nothing else. */
const OPS_PASSWORD = 'ops-sudo-password';

/** The files that a lab leaves for its user. */
export interface LabFiles {
  readonly inventory: string;
  /** The same hosts through the user `ops`, who needs a password for sudo. */
  readonly becomeInventory: string;
  readonly privateKey: string;
  readonly publicKey: string;
  readonly knownHosts: string;
  readonly sshConfig: string;
}

/** Where a lab's files are. @param directory the lab's directory, absolute */
export function labFiles(directory: string): LabFiles {
  return {
    inventory: join(directory, 'inventory.yaml'),
    becomeInventory: join(directory, 'inventory-become.yaml'),
    privateKey: join(directory, 'id_ed25519'),
    publicKey: join(directory, 'id_ed25519.pub'),
    knownHosts: join(directory, 'known_hosts'),
    sshConfig: join(directory, 'ssh_config'),
  };
}

const GROUPS: readonly { readonly group: string; readonly role: HostRole }[] = [
  { group: 'etcd', role: 'etcd' },
  { group: 'etcd_lb', role: 'lb' },
  { group: 'kube_control_plane', role: 'control-plane' },
  { group: 'kube_node', role: 'worker' },
  { group: 'ungrouped', role: 'plain' },
];

function renderGroup(group: string, hosts: readonly LabHost[]): string {
  const lines = hosts.map((host) => `        ${host.name}:\n          ansible_host: ${host.address}\n`);
  return `    ${group}:\n      hosts:\n${lines.join('')}`;
}

function renderUser(user: LabUser): string {
  if (user === 'root') return '    ansible_user: root\n';
  const become = `    ansible_user: ${user}\n    ansible_become: true\n`;
  return user === 'ops' ? `${become}    ansible_become_password: ${OPS_PASSWORD}\n` : become;
}

/** The Ansible inventory of a lab, for one of its users. Pure. */
export function renderInventory(lab: Lab, user: LabUser): string {
  const files = labFiles(lab.directory);
  const groups = GROUPS.map(({ group, role }) => ({ group, hosts: lab.hosts.filter((host) => host.role === role) }));
  return `# The hosts of the lab "${lab.name}". They are reached from its own network only:
#   provision lab run --name ${lab.name} -- provision plan ${files.inventory}
all:
  vars:
${renderUser(user)}    ansible_ssh_private_key_file: ${JSON.stringify(files.privateKey)}
    ansible_ssh_common_args: ${JSON.stringify(`-o UserKnownHostsFile=${files.knownHosts}`)}
    # An address of the lab's network that no host has: the virtual IP.
    etcd_lb_ip: ${lab.network.virtualIp}
    etcd_lb_host: etcd.${lab.name}.example
  children:
${groups
  .filter(({ hosts }) => hosts.length > 0)
  .map(({ group, hosts }) => renderGroup(group, hosts))
  .join('')}`;
}

/**
 * A configuration for `ssh -F`, by host name. Lab hosts lose their power and network: ssh must notice. OpenSSH's default key
 * exchange takes 80 ms of processor time for each call, which a lab's network is not worth. Pure.
 */
export function renderSshConfig(lab: Lab): string {
  const files = labFiles(lab.directory);
  const hosts = lab.hosts.map(
    (host) => `Host ${host.name}\n  HostName ${host.address}\n  HostKeyAlias ${host.address}\n`,
  );
  return `${hosts.join('')}Host *
  User root
  IdentityFile ${files.privateKey}
  IdentitiesOnly yes
  UserKnownHostsFile ${files.knownHosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 5
  ServerAliveInterval 3
  KexAlgorithms curve25519-sha256
`;
}

/** known_hosts of a lab. Pure. @param keys host name → `ssh-ed25519 AAAA…` */
export function renderKnownHosts(hosts: readonly LabHost[], keys: ReadonlyMap<string, string>): string {
  return hosts.map((host) => `${host.name},${host.address} ${keys.get(host.name) ?? ''}\n`).join('');
}

/** Makes an ed25519 key pair without a passphrase: FILE and FILE.pub. */
export async function generateKey(file: string, comment: string): Promise<void> {
  await runTool('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
}

/**
 * Takes a directory for a lab: it must be new or empty.
 * @throws ProvisionError `lab-directory`
 */
export async function claimDirectory(directory: string, lab: string): Promise<void> {
  if (/[\s"'\\%]/.test(directory)) {
    throw new ProvisionError({
      code: 'lab-directory',
      message: `${directory}: ssh cannot read such a path in its options; expected one without spaces, quotes and %`,
    });
  }
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) {
    throw new ProvisionError({
      code: 'lab-directory',
      message: `${directory}: holds files; a lab needs a directory of its own, new or empty`,
      hint: 'choose another one with --dir',
    });
  }
  await writeFile(join(directory, MARKER), `${lab}\n`);
}

/** Removes a lab's directory with all that was put there, when its marker says that it is this lab's. */
export async function releaseDirectory(directory: string, lab: string): Promise<void> {
  const owner = await readIfThere(join(directory, MARKER));
  if (owner?.trim() === lab) await rm(directory, { recursive: true, force: true });
}

/** Writes the key pair, inventories and ssh configuration. known_hosts comes when the hosts have their keys. */
export async function writeLabFiles(lab: Lab): Promise<void> {
  const files = labFiles(lab.directory);
  await generateKey(files.privateKey, `lab-${lab.name}`);
  await writeFile(files.inventory, renderInventory(lab, 'root'));
  await writeFile(files.becomeInventory, renderInventory(lab, 'ops'));
  await writeFile(files.sshConfig, renderSshConfig(lab));
}
