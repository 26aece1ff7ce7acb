import { join } from 'node:path';
import type { TestLab } from './lab.js';
import { endOf, passphraseFile } from './main-job.js';

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
  readonly addressOf: (host: string) => string;
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
  const { hosts, kubernetes } = (await lab.host('etcd-1')).lab;
  const members = hosts.filter(({ role }) => role === 'etcd');
  // A real Kubernetes is set up on it afterwards: kubernetes-cluster.ts.
  const controlPlanes =
    kubernetes === 'real' ? [] : hosts.filter(({ role }) => role === 'control-plane').map(({ name }) => name);
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
    addressOf: (host) => members.find(({ name }) => name === host)?.address ?? '',
    unitOf: (host) => UNITS[howOf(host)],
    configurationOf: (host) => CONFIGURATIONS[howOf(host)],
  };
}

/** Lets this program describe the cluster for itself, and gives it the authority's key. */
export async function adopt(lab: TestLab, made: HandMadeCluster): Promise<void> {
  const adopted = await lab.provision('adopt', lab.files.inventory, '--yes');
  if (adopted.status !== 0) throw new Error(endOf(adopted));
  const words = [
    '--certificate',
    made.caCertificate,
    '--key',
    made.caKey,
    '--passphrase-file',
    await passphraseFile(lab),
  ];
  const imported = await lab.provision('ca', 'import', join(lab.files.inventory, '..', 'pki'), ...words);
  if (imported.status !== 0) throw new Error(endOf(imported));
}

/** `etcdctl` on a host, as the cluster's owners have always used it. */
export function memberctl(host: string, words: string): string {
  const pki = '/etc/ssl/etcd';
  const files = `--cacert=${pki}/certificate/ca.crt --cert=${pki}/certificate/${host}-dev_cert.pem --key=${pki}/private/${host}-dev_key.pem`;
  return `ETCDCTL_API=3 etcdctl ${files} ${words}`;
}
