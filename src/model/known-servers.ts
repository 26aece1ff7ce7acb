import type { Cluster } from './cluster.js';
import { etcdWay } from './etcd-way.js';

/** Decides whether a URL is an address at which this inventory's cluster is to be reached. */
export type IsKnownServer = (url: string) => boolean;

/**
 * By host, port and scheme alone, each exactly as the inventory says: for what does not answer. Loopback is no such
 * address: everybody's etcd may listen there.
 * @param resolved DNS name → its addresses, seen from the host that uses the URL
 */
export function knownServers(cluster: Cluster, resolved: ReadonlyMap<string, readonly string[]>): IsKnownServer {
  const members = [...cluster.members, ...cluster.formerMembers];
  const way = etcdWay(cluster);
  const places = new Set([
    ...members.flatMap(({ address, host, name, clientPort }) =>
      [address, host, name].map((each) => place(each, String(clientPort))),
    ),
    ...(way?.names ?? []).map((each) => place(each, String(way?.port))),
  ]);
  return (url) => {
    const found = hostAndPort(url);
    if (found?.scheme !== 'https:') return false;
    if (places.has(place(found.host, found.port))) return true;
    const addresses = resolved.get(found.host) ?? [];
    return addresses.length > 0 && addresses.every((address) => places.has(place(address, found.port)));
  };
}

/** The host of a URL, IPv6 without brackets; `undefined` for what is no URL. */
export function hostOf(url: string): string | undefined {
  return hostAndPort(url)?.host;
}

function hostAndPort(
  url: string,
): { readonly scheme: string; readonly host: string; readonly port: string } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  return { scheme: protocol, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? '443' : port };
}

function place(host: string, port: string): string {
  return `${host.toLowerCase()} ${port}`;
}
