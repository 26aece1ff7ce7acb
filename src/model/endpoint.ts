import { isIP } from 'node:net';

/**
 * Whether a text is an address that the same host has for everybody: one with a zone (`fe80::1%eth0`, RFC 4007) means
 * something on one host only, and no URL and no certificate can hold it.
 */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

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

/** The kernel setting with which a program may listen on an address that is on another host now. */
export function nonlocalBindKey(address: string): string {
  return `net.${address.includes(':') ? 'ipv6' : 'ipv4'}.ip_nonlocal_bind`;
}

/** The prefix length that makes an address stand alone: 32, or 128 for IPv6. */
export function hostPrefix(address: string): number {
  return address.includes(':') ? 128 : 32;
}

/**
 * Whether an IPv4 address means its network itself or everybody in it: such an address is nobody's (RFC 919, RFC 950;
 * a network of two or one addresses has none, RFC 3021).
 * @param base any address of the network
 */
export function networkEdge(ip: string, base: string, prefix: number): 'network' | 'broadcast' | undefined {
  if (isIP(ip) !== 4 || isIP(base) !== 4 || prefix > 30) return undefined;
  const size = 2 ** (32 - prefix);
  const place = ip.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) % size;
  if (place === 0) return 'network';
  return place === size - 1 ? 'broadcast' : undefined;
}
