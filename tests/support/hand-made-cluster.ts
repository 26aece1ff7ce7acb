import { join } from 'node:path';
import type { TestLab } from './lab.js';

/** How a member is set up; see hand-made-cluster.sh. */
export type HowMade = 'package' | 'flags' | 'yaml';

/** A cluster that is not ours: how each member on the lab's etcd hosts is made, in their order. */
export interface HandMadeOptions {
  /** One for each etcd host; default: each in another way. */
  readonly members?: readonly HowMade[];
  /** Where members listen for clients, such as `0.0.0.0`; default: the node's address and 127.0.0.1. */
  readonly listen?: string;
}

/** What was made by hand. */
export interface HandMadeCluster {
  /** Directory on this machine with what openssl made: `ca.crt`, `ca.key`, … */
  readonly directory: string;
  readonly caCertificate: string;
  readonly caKey: string;
  /** The members' client URLs, in the order of the hosts. */
  readonly endpoints: readonly string[];
  /** The unit of the member on each host. */
  readonly unitOf: (host: string) => string;
  /** The environment file, unit or configuration file that the member on a host reads. */
  readonly configurationOf: (host: string) => string;
}

const UNITS: Readonly<Record<HowMade, string>> = { package: 'etcd', flags: 'etcd', yaml: 'etcd-member' };

const CONFIGURATIONS: Readonly<Record<HowMade, string>> = {
  package: '/etc/default/etcd',
  flags: '/etc/systemd/system/etcd.service',
  yaml: '/etc/etcd/etcd.conf.yml',
};

/** Makes a running etcd cluster on the lab's etcd hosts, and API servers on it, with openssl and a shell alone. */
export async function createHandMadeCluster(lab: TestLab, options: HandMadeOptions = {}): Promise<HandMadeCluster> {
  const { hosts } = (await lab.host('etcd-1')).lab;
  const members = hosts.filter(({ role }) => role === 'etcd');
  const controlPlanes = hosts.filter(({ role }) => role === 'control-plane').map(({ name }) => name);
  const ways = options.members ?? ['package', 'flags', 'yaml'];
  const howOf = (host: string): HowMade => ways[members.findIndex(({ name }) => name === host)] ?? 'package';
  const directory = join(lab.files.inventory, '..', 'hand-made');
  const ended = await lab.onControlSide([
    'tests/support/hand-made-cluster.sh',
    ...(options.listen === undefined ? [] : ['-l', options.listen]),
    directory,
    lab.files.sshConfig,
    ...members.map(({ name, address }) => `${name}=${address}=${howOf(name)}`),
    ...(controlPlanes.length === 0 ? [] : ['--', ...controlPlanes]),
  ]);
  if (ended.status !== 0) throw new Error(`hand-made-cluster.sh: status ${ended.status}\n${ended.stderr}`);
  return {
    directory,
    caCertificate: join(directory, 'ca.crt'),
    caKey: join(directory, 'ca.key'),
    endpoints: members.map(({ address }) => `https://${address}:2379`),
    unitOf: (host) => UNITS[howOf(host)],
    configurationOf: (host) => CONFIGURATIONS[howOf(host)],
  };
}
