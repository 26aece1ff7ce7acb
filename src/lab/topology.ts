import { counted } from '../model/counted.js';
import { InputError } from '../model/errors.js';
import type { Problem } from '../model/errors.js';

/** The Debian releases that hosts can run, oldest first. */
export const RELEASES = ['bookworm', 'trixie'] as const;

/** A Debian release that hosts can run. */
export type Release = (typeof RELEASES)[number];

/**
 * What control planes run. `stand-in`: a real kube-apiserver under a small program in the place of the kubelet, quick to
 * boot. `real`: hosts prepared for a real kubelet, containerd and kubeadm; nothing of it runs until someone sets it up.
 */
export const KUBERNETES_KINDS = ['stand-in', 'real'] as const;

/** What control planes run. */
export type KubernetesKind = (typeof KUBERNETES_KINDS)[number];

/** What a host is for. `plain`: a bare host in no group. */
export type HostRole = 'etcd' | 'lb' | 'control-plane' | 'worker' | 'plain';

/** How many hosts of each role. */
export interface HostCounts {
  readonly etcd: number;
  /** Dedicated load balancers; 0: the etcd hosts carry it. */
  readonly lb: number;
  readonly controlPlanes: number;
  /** Kubernetes nodes that are no control planes. */
  readonly workers: number;
  readonly hosts: number;
}

/** One host of a lab. */
export interface LabHost {
  readonly name: string;
  readonly role: HostRole;
  readonly address: string;
}

/** A lab's network: a /24 of which `.1` is the control side. */
export interface LabNetwork {
  /** First three octets: `203.0.113`. */
  readonly prefix: string;
  readonly control: string;
  /** A free address for the load balancer. */
  readonly virtualIp: string;
}

/** Documentation ranges (RFC 5737): they name no real network. */
const PREFIXES = ['203.0.113', '198.51.100', '192.0.2'] as const;

/** The last bytes of the addresses of each role, in their order: as many hosts have room. The virtual IP is .100. */
const PLACES: readonly { role: HostRole; name: string; count: keyof HostCounts; places: readonly number[] }[] = [
  { role: 'etcd', name: 'etcd', count: 'etcd', places: inARow(11, 20) },
  { role: 'lb', name: 'lb', count: 'lb', places: [...inARow(31, 30), ...inARow(151, 100)] },
  { role: 'control-plane', name: 'cp', count: 'controlPlanes', places: inARow(61, 30) },
  { role: 'worker', name: 'worker', count: 'workers', places: inARow(91, 8) },
  { role: 'plain', name: 'host', count: 'hosts', places: inARow(101, 50) },
];

function inARow(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/**
 * The network of a new lab: the first documentation range that no other lab uses. Labs cannot reach each other, so
 * that the first range is used again when all are taken.
 * @param used prefixes of the labs that are there
 */
export function chooseNetwork(used: readonly string[]): LabNetwork {
  const prefix = PREFIXES.find((candidate) => !used.includes(candidate)) ?? PREFIXES[0];
  return { prefix, control: `${prefix}.1`, virtualIp: `${prefix}.100` };
}

/**
 * The hosts of a lab: etcd-1.., lb-1.., cp-1.., worker-1.., host-1.., in this order.
 * @throws InputError with every count that has no room in the network
 */
export function layOutHosts(counts: HostCounts, network: LabNetwork): readonly LabHost[] {
  const problems: Problem[] = PLACES.filter(
    ({ count, places }) => !Number.isInteger(counts[count]) || counts[count] < 0 || counts[count] > places.length,
  ).map(({ count, places }) => ({
    severity: 'error',
    subject: count,
    message: `${counted(counts[count], 'host')}; expected a whole number from 0 to ${places.length}`,
  }));
  if (PLACES.every(({ count }) => counts[count] === 0)) {
    problems.push({ severity: 'error', subject: 'hosts', message: 'a lab needs at least one host' });
  }
  if (problems.length > 0) throw new InputError(problems);
  return PLACES.flatMap(({ role, name, count, places }) =>
    places.slice(0, counts[count]).map((place, index) => ({
      name: `${name}-${index + 1}`,
      role,
      address: `${network.prefix}.${place}`,
    })),
  );
}

/** Whether a text can name a lab: it becomes part of namespaces, machines and directories. */
export function isLabName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,19}$/.test(name);
}
