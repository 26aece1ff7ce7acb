import { BlockList, isIP } from 'node:net';
import type { Cluster } from './cluster.js';
import type { VirtualService } from './virtual-service.js';

/** The one table of nftables that is ours: its family and name. */
export const FIREWALL_TABLE = 'inet provision_etcd';

/** Where the table is kept for a reboot. */
export const FIREWALL_FILE = '/etc/provision-etcd-firewall.nft';

/** The unit that loads it, without `.service`. */
export const FIREWALL_UNIT = 'provision-etcd-firewall';

/** The file of that unit. */
export const FIREWALL_UNIT_FILE = `/etc/systemd/system/${FIREWALL_UNIT}.service`;

/** Who is let in: hosts of today only; or those that are about to leave as well. */
export type FirewallExtent = 'present' | 'present-and-former';

/** What one host lets in; whatever else comes in is not its matter. */
export interface FirewallRules {
  /** Ports where etcd, or its proxy, serves clients; none where it serves none. */
  readonly clientPorts: readonly number[];
  /** Addresses and networks that may reach them. */
  readonly clients: readonly string[];
  /** Ports for other members. */
  readonly peerPorts: readonly number[];
  readonly peers: readonly string[];
  /** Addresses that VRRP of those ids is taken from; none where the host balances nothing. */
  readonly balancers: readonly string[];
  /** Virtual router ids of what the host balances. What others of its programs take by VRRP comes in. */
  readonly routerIds: readonly number[];
}

/** One way that must stay open: who connects, and to which ports of the host. */
export interface NeededWay {
  /** Inventory name of the host that connects. */
  readonly from: string;
  /** The address that it connects to: the member's, or the virtual IP, which one balancer holds at a time. */
  readonly to: string;
  readonly ports: readonly number[];
}

type Guarded = Pick<Cluster, 'members' | 'formerMembers' | 'controlPlanes' | 'services' | 'firewall' | 'hostMetrics'>;

/** IPv6 sends VRRP to a group from the link's own address (RFC 5798, section 5.2.3 and 7.2). */
const LINK_LOCAL = 'fe80::/10';

/** What a host lets in; nothing where the inventory wants no firewall, or the host neither serves etcd nor balances. */
export function firewallOn(cluster: Guarded, host: string, extent: FirewallExtent): FirewallRules | undefined {
  const { firewall } = cluster;
  if (firewall === undefined) return undefined;
  const { members, balancers, clients } = partsOf(cluster, extent);
  const own = members.filter((member) => member.host === host);
  const balanced = cluster.services.filter((service) => hostsOf(service, extent).includes(host));
  if (own.length === 0 && balanced.length === 0) return undefined;
  const addressesOf = (hosts: readonly string[]): readonly string[] => [
    ...new Set(hosts.flatMap((name) => firewall.addresses.get(name) ?? [])),
  ];
  const ofEtcd = balanced.filter(({ name }) => name === 'etcd');
  const peers = balanced.flatMap((service) => hostsOf(service, extent));
  const needsLink = balanced.some(isOverLink);
  return {
    clientPorts: unique([
      ...own.map((each) => each.clientPort),
      ...ofEtcd.map(({ endpoint }) => endpoint.port),
      ...metricsPorts(own, ofEtcd, host),
      ...cluster.hostMetrics.flatMap((each) => (each.host === host ? [each.port] : [])),
    ]),
    clients: unique([...addressesOf([...clients, ...balancers]), ...firewall.allow]),
    peerPorts: unique(own.map(({ peerPort }) => peerPort)),
    peers: own.length === 0 ? [] : addressesOf(members.map((each) => each.host)),
    balancers: [...addressesOf(peers), ...(needsLink ? [LINK_LOCAL] : [])],
    routerIds: unique(
      balanced.flatMap((service) => balancersOf(service, extent).map((each) => each.keepalived.virtualRouterId)),
    ),
  };
}

/** Who connects to a host in this cluster, and where: to its member, and to etcd's virtual IP; not itself, which is always let in. */
export function neededWays(cluster: Guarded, host: string): readonly NeededWay[] {
  const { balancers, clients } = partsOf(cluster, 'present');
  const toMember = cluster.members
    .filter((member) => member.host === host)
    .flatMap(({ address: to, clientPort, peerPort }) => {
      const peers = cluster.members.map((each) => each.host);
      return unique([...peers, ...balancers, ...clients]).map((from) => ({
        ...{ from, to },
        ports: peers.includes(from) ? [clientPort, peerPort] : [clientPort],
      }));
    });
  const toService = cluster.services
    .filter((service) => service.name === 'etcd' && hostsOf(service, 'present').includes(host))
    .flatMap(({ endpoint }) => unique(clients).map((from) => ({ from, to: endpoint.ip, ports: [endpoint.port] })));
  return [...toMember, ...toService].filter(({ from }) => from !== host);
}

/** The addresses that adverts of a balancer come from, where the firewall of another one lets them in. */
export function advertSources(
  { firewall }: Pick<Guarded, 'firewall'>,
  service: VirtualService,
  { host, address }: Pick<VirtualService['balancers'][number], 'host' | 'address'>,
): readonly string[] {
  return [...(firewall?.addresses.get(host) ?? [address]), ...(isOverLink(service) ? [LINK_LOCAL] : [])];
}

/** Whether an address is one of these addresses, or in one of these networks. */
export function isLetIn(address: string, sources: readonly string[]): boolean {
  const list = new BlockList();
  for (const source of sources) {
    const [base = '', prefix] = source.split('/');
    const family = familyOf(base);
    if (prefix === undefined) list.addAddress(base, family);
    else list.addSubnet(base, Number(prefix), family);
  }
  return isIP(address) !== 0 && list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

interface Parts {
  readonly members: Guarded['members'];
  /** Names of hosts: those of etcd's load balancer, and all that are its clients beside them. */
  readonly balancers: readonly string[];
  readonly clients: readonly string[];
}

function partsOf({ members, formerMembers, controlPlanes, services }: Guarded, extent: FirewallExtent): Parts {
  const present = extent === 'present' ? members : [...members, ...formerMembers];
  const balancers = services.filter(({ name }) => name === 'etcd').flatMap((service) => hostsOf(service, extent));
  return { members: present, balancers, clients: [...present, ...controlPlanes].map(({ host }) => host) };
}

function balancersOf(service: VirtualService, extent: FirewallExtent): VirtualService['balancers'] {
  return [...service.balancers, ...(extent === 'present' ? [] : service.formerBalancers)];
}

function hostsOf(service: VirtualService, extent: FirewallExtent): readonly string[] {
  return balancersOf(service, extent).map(({ host }) => host);
}

function isOverLink({ endpoint, balancers }: VirtualService): boolean {
  return isIP(endpoint.ip) === 6 && balancers.some(({ keepalived }) => !keepalived.unicast);
}

function unique<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)];
}

/** Who may ask etcd, and its proxy, may see their figures. */
function metricsPorts(own: Guarded['members'], services: Guarded['services'], host: string): readonly number[] {
  const proxies = services.flatMap(({ balancers }) => balancers.filter((each) => each.host === host));
  return [...own, ...proxies.map(({ proxy }) => proxy)].flatMap(({ metrics }) => metrics?.port ?? []);
}
