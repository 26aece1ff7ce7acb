import { nodeAddress } from '../cluster/node-address.js';
import { isAddress } from '../model/ip.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { HostConnection, NamedHost } from './inventory-answers.js';

/** What an inventory of Ansible or kubespray gives to start from. */
export interface KnownInventory {
  /** The hosts of its groups that matter here; all of them where it has none of these. */
  readonly hosts: readonly NamedHost[];
  /** Names of hosts, by what they are. */
  readonly members: readonly string[];
  readonly controlPlanes: readonly string[];
  readonly balancers: readonly string[];
  /** The login user of all hosts, where they have one in common. */
  readonly user: string | undefined;
  readonly privateKeyFile: string | undefined;
  /** What could not be taken over, a sentence each. */
  readonly left: readonly string[];
}

/** What groups are called: first here, then by kubespray, today's and earlier ones, and by many Ansible roles. */
const GROUPS = {
  members: ['etcd'],
  controlPlanes: ['kube_control_plane', 'kube-master', 'kube_master', 'masters', 'control_plane'],
  balancers: ['etcd_lb', 'haproxy', 'loadbalancers', 'load_balancers', 'loadbalancer'],
} as const;

/** Reads what the wizard would ask from an inventory that is there. */
export function knownInventory(inventory: Pick<Inventory, 'hosts' | 'groups'>): KnownInventory {
  const membersOf = (names: readonly string[]): readonly string[] =>
    names.map((name) => inventory.groups.get(name) ?? []).find((hosts) => hosts.length > 0) ?? [];
  const [members, controlPlanes, balancers] = [GROUPS.members, GROUPS.controlPlanes, GROUPS.balancers].map(membersOf);
  const chosen = new Set([...(members ?? []), ...(controlPlanes ?? []), ...(balancers ?? [])]);
  const hosts = [...inventory.hosts.values()].filter(({ name }) => chosen.size === 0 || chosen.has(name));
  const user = inCommon(hosts.map(({ connection }) => connection.user));
  const privateKeyFile = inCommon(hosts.map(({ connection }) => connection.privateKeyFile));
  return {
    hosts: hosts.map((host) => named(host, { user, privateKeyFile })),
    ...{ members: members ?? [], controlPlanes: controlPlanes ?? [], balancers: balancers ?? [], user, privateKeyFile },
    left: hosts.flatMap(leftOf),
  };
}

/** The value that all have. */
function inCommon(values: readonly (string | undefined)[]): string | undefined {
  const [first] = values;
  return values.every((value) => value === first) ? first : undefined;
}

function named(host: Host, common: Pick<KnownInventory, 'user' | 'privateKeyFile'>): NamedHost {
  const { name } = host;
  const { address: login, port, user, privateKeyFile } = host.connection;
  const sshArgs = hasSecretArgs(host) ? undefined : host.connection.sshArgs;
  const node = nodeAddress(host)?.address;
  const address = node ?? (isAddress(login) ? login : '');
  const connection: HostConnection = {
    ...(address === '' || login === address ? {} : { address: login }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined || user === common.user ? {} : { user }),
    ...(privateKeyFile === undefined || privateKeyFile === common.privateKeyFile ? {} : { privateKeyFile }),
    ...(sshArgs === undefined ? {} : { sshArgs }),
  };
  return Object.keys(connection).length === 0 ? { name, address } : { name, address, connection };
}

const SSH_ARGS = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'];

/** Whether its arguments for ssh are sealed, or give a password to `sshpass`. */
function hasSecretArgs({ variables, connection: { sshArgs = '' } }: Host): boolean {
  return SSH_ARGS.some((name) => variables.secretOf(name) !== undefined) || /sshpass/i.test(sshArgs);
}

/** Secrets stay where they are: a password is asked for. */
function leftOf(host: Host): readonly string[] {
  const {
    name,
    connection: { password, become, sshArgs },
  } = host;
  return [
    ...(sshArgs === undefined || !hasSecretArgs(host)
      ? []
      : [`${name}: its arguments for ssh hold a secret, and are not copied: put them into ~/.ssh/config`]),
    ...(password === undefined ? [] : [`${name}: its SSH password is a secret, and is not copied: -k asks for it`]),
    ...(become?.password === undefined
      ? []
      : [`${name}: its sudo password is a secret, and is not copied: -K asks for it`]),
  ];
}
