import { isIP } from 'node:net';
import { addressBytes } from './ip.js';

/** `host:port`, with the brackets that an IPv6 address needs (RFC 3986, section 3.2.2). */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An HTTPS URL without a path. @param host name or address, IPv6 without brackets */
export function httpsUrl(host: string, port: number): string {
  return `https://${hostPort(host, port)}`;
}

/** Every member's own client URL: the way to etcd that needs no load balancer. */
export function memberUrls(
  members: readonly { readonly address: string; readonly clientPort: number }[],
): readonly string[] {
  return members.map(({ address, clientPort }) => httpsUrl(address, clientPort));
}

/** Whether the value of an `--etcd-servers` names just these URLs, in whatever order. */
export function namesJust(servers: string, urls: readonly string[]): boolean {
  return servers.split(',').toSorted().join() === urls.toSorted().join();
}

/** Whether it names some of these URLs, and no other one: as before others were there. */
export function namesOnly(servers: string, urls: readonly string[]): boolean {
  return servers.split(',').every((url) => urls.includes(url));
}

/** The kernel setting with which a program may listen on an address that is on another host now. */
export function nonlocalBindKey(address: string): string {
  return `net.${address.includes(':') ? 'ipv6' : 'ipv4'}.ip_nonlocal_bind`;
}

/** The prefix length that makes an address stand alone: 32, or 128 for IPv6. */
export function hostPrefix(address: string): number {
  return address.includes(':') ? 128 : 32;
}

/** What an address of a network may mean in place of one host. */
export type NetworkEdge = 'network' | 'broadcast' | 'subnet-router anycast';

/**
 * Whether an address means its network itself or everybody in it: such an address is nobody's (RFC 919, RFC 950; a
 * network of two or one addresses has none, RFC 3021). In IPv6 the first one is every router's (RFC 4291, 2.6.1; RFC 6164).
 * @param base any address of the network
 */
export function networkEdge(ip: string, base: string, prefix: number): NetworkEdge | undefined {
  if (isIP(ip) === 6 && isIP(base) === 6 && prefix < 127)
    return placeIn(prefix, ip) === 0n ? 'subnet-router anycast' : undefined;
  if (isIP(ip) !== 4 || isIP(base) !== 4 || prefix > 30) return undefined;
  const place = placeIn(prefix, ip);
  if (place === 0n) return 'network';
  return place === (1n << BigInt(32 - prefix)) - 1n ? 'broadcast' : undefined;
}

/** Which one of its network an address is, from 0. */
function placeIn(prefix: number, ip: string): bigint {
  const bytes = addressBytes(ip);
  return BigInt(`0x${bytes.toString('hex')}`) % (1n << BigInt(bytes.length * 8 - prefix));
}
