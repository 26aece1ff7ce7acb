import { BlockList, isIP } from 'node:net';
import type { HostAddress } from '../facts/host-addresses.js';
import type { HostOutline } from '../facts/host-outline.js';
import type { Listener } from '../facts/listeners.js';
import type { UsedRouterId } from '../facts/router-ids.js';
import type { Secret } from '../model/secret.js';
import type { NamedHost } from './inventory-answers.js';

/** What was seen on a host. */
export interface SeenHost {
  readonly outline: HostOutline;
  readonly addresses: readonly HostAddress[];
  /** On etcd's ports, and on kube-apiserver's. */
  readonly listeners: readonly Listener[];
  /** The static pod's manifest that its etcd runs from; `undefined`: no stacked member runs there. */
  readonly stacked: { readonly manifest: string; readonly hasEtcdctl: boolean } | undefined;
  /** By how much its clock surely differs from this machine's, in milliseconds; negative: behind. */
  readonly skewMs: number;
}

/** What came of a host: what was seen, or why it could not be. */
export type HostLook =
  | { readonly kind: 'seen'; readonly host: SeenHost }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
      /** Of its key, where that has to be compared first. */
      readonly fingerprint: string | undefined;
    };

/** How to log in to all hosts. */
export interface Login {
  readonly hosts: readonly NamedHost[];
  readonly user: string;
  readonly privateKeyFile: string | undefined;
  readonly sudoPassword: Secret | undefined;
  /** The keys that were shown and are trusted: host → fingerprint. Another key of the host is not. */
  readonly trusted: ReadonlyMap<string, string>;
}

/** Looks at all hosts at once, one exec each. @param tell gets how far each is */
export type LookAtHosts = (
  login: Login,
  tell: (host: string, state: string) => void,
) => Promise<ReadonlyMap<string, HostLook>>;

/** A router id that is in use, and the host that has seen it. */
export type SeenRouterId = UsedRouterId & { readonly host: string };

/** What is in use in the network of the hosts. */
export interface NetworkLook {
  /** Of the addresses that were asked for, those that nobody has. */
  readonly free: readonly string[];
  /** Names of the hosts that could listen for VRRP. */
  readonly listened: readonly string[];
  readonly usedIds: readonly SeenRouterId[];
}

/** Asks the first host's network which of these addresses nobody has, and listens on all hosts for VRRP meanwhile. */
export type LookAtNetwork = (
  login: Login,
  addresses: readonly string[],
  tell: (host: string, state: string) => void,
) => Promise<NetworkLook>;

/** The ways to look at hosts. */
export interface HostLooks {
  readonly lookAtHosts: LookAtHosts;
  readonly lookAtNetwork: LookAtNetwork;
}

/** etcd keeps at most this much by default (`--quota-backend-bytes`), and a snapshot of it beside it while it is restored. */
const DISK_MIB = 4096;

/** What etcd's documentation calls the least for a small cluster is 8 GiB; below this not even a lab is at ease. */
const MEMORY_MIB = 256;

/** kube-apiserver's (kubernetes.io, "Ports and Protocols"): where it listens, nothing is in the way of etcd. */
const API_PORT = 6443;

/** A line that says what a host is. */
export function describeHost({ address }: NamedHost, { outline, addresses }: SeenHost): string {
  const own = addresses.find((each) => each.address === address);
  const place = own === undefined ? address : `${own.interface} ${address}/${own.prefixLength}`;
  const [memory, disk] = [outline.memoryMib, outline.diskMib].map((mib) => (mib / 1024).toFixed(1));
  return `${outline.system}, ${place}, ${memory} GiB memory and ${disk} GiB disk free`;
}

/** What a plan would refuse later, or a person should know now. @param skewMs how far a clock may be off */
export function remarksOn({ name, address }: NamedHost, seen: SeenHost, skewMs: number): readonly string[] {
  const { outline, addresses, listeners } = seen;
  const own = addresses.filter((each) => each.interface !== 'lo').map((each) => each.address);
  return [
    ...(outline.hasApt ? [] : ['it has no apt-get: packages can be installed on Debian and Ubuntu only']),
    ...(outline.hasSystemd ? [] : ['systemd does not run there: services need it']),
    ...(outline.diskMib < DISK_MIB
      ? [`only ${outline.diskMib} MiB are free in /var/lib; etcd may need 2 GiB, and as much for a snapshot`]
      : []),
    ...(outline.memoryMib < MEMORY_MIB ? [`only ${outline.memoryMib} MiB of memory are free`] : []),
    ...(Math.abs(seen.skewMs) > skewMs
      ? [
          `its clock is ${Math.round(Math.abs(seen.skewMs) / 60_000)} minutes ${seen.skewMs < 0 ? 'behind' : 'ahead'}: a new certificate would be refused`,
        ]
      : []),
    ...(own.includes(address)
      ? []
      : [`${address} is on no interface of it (${own.join(', ')}): etcd could not listen there`]),
    ...(seen.stacked === undefined
      ? []
      : [
          `a stacked etcd runs there, from ${seen.stacked.manifest}`,
          ...(seen.stacked.hasEtcdctl
            ? []
            : ['it has no etcdctl, by which its etcd is asked; install it first: apt-get install etcd-client']),
        ]),
    ...[
      ...new Set(
        (seen.stacked === undefined ? listeners : [])
          .filter(({ port }) => port !== API_PORT)
          .map(({ port, process }) => `${process === '' ? 'a program' : process} listens on port ${port} already`),
      ),
    ].map((text) => `${text}; an existing etcd cluster is taken over with: provision adopt INVENTORY`),
  ].map((text) => `${name}: ${text}`);
}

/** The network of most hosts' own addresses, as a CIDR; `undefined`: it was not seen. */
export function networkOf(hosts: readonly NamedHost[], looks: ReadonlyMap<string, HostLook>): string | undefined {
  for (const { name, address } of hosts) {
    const look = looks.get(name);
    const own = look?.kind === 'seen' ? look.host.addresses.find((each) => each.address === address) : undefined;
    if (own === undefined || isIP(address) !== 4 || own.prefixLength < 8 || own.prefixLength > 30) continue;
    return `${textOf((numberOf(address) >>> (32 - own.prefixLength)) * 2 ** (32 - own.prefixLength))}/${own.prefixLength}`;
  }
  return undefined;
}

/** How many addresses at most are asked for on the network. */
const CANDIDATES = 4;

/**
 * Addresses near the end of an IPv4 network, where DHCP and routers rarely are, that no host has. The last few are left out,
 * among which a router may be.
 */
export function freeCandidates(network: string, taken: readonly string[]): readonly string[] {
  const [base = '', bits = ''] = network.split('/');
  const size = 2 ** (32 - Number(bits));
  const inside = new BlockList();
  inside.addSubnet(base, Number(bits));
  return Array.from({ length: Math.min(size, 64) }, (_, index) => textOf(numberOf(base) + size - 6 - index))
    .filter((address) => inside.check(address) && address !== base && !taken.includes(address))
    .slice(0, CANDIDATES);
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function textOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
