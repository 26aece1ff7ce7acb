import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { httpsUrl } from '../model/endpoint.js';
import { canonicalIp } from '../model/ip.js';

/** A URL of etcd's, taken apart. */
export interface EtcdUrl {
  readonly scheme: string;
  /** Name or address, IPv6 without brackets, as {@link canonicalIp} writes it. */
  readonly host: string;
  readonly port: number;
}

/** etcd's own default port for clients, where a URL names none. */
const CLIENT_PORT = 2379;

/** `https://10.0.0.1:2379,https://127.0.0.1:2379`. What is no URL is left out: etcd would not have started with it. */
export function parseUrls(text: string): readonly EtcdUrl[] {
  return text.split(',').flatMap((part) => {
    const [, scheme = '', host = '', port] = /^\s*([a-z]+):\/\/(\[[^\]]+\]|[^/:]*)(?::(\d+))?\/?\s*$/.exec(part) ?? [];
    const bare = host.replace(/^\[|\]$/g, '');
    return scheme === ''
      ? []
      : [{ scheme, host: isIP(bare) === 0 ? bare : canonicalIp(bare), port: Number(port ?? CLIENT_PORT) }];
  });
}

/** All addresses of the host: a load balancer beside it finds its own one taken. */
export function isWildcard({ host }: EtcdUrl): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** What a member's URLs say of its place in the network. */
export interface MemberUrls {
  readonly listen: readonly EtcdUrl[];
  readonly advertised: readonly EtcdUrl[];
}

/**
 * The address and port by which other hosts reach a member: what it advertises, if it listens there; else the
 * inventory's address, or another on which it listens.
 * @param inventoryAddress the node's address as the inventory has it
 * @returns undefined when it listens on no address that others can reach
 */
export function nodePlace(
  { listen, advertised }: MemberUrls,
  inventoryAddress: string | undefined,
): { readonly address: string; readonly port: number } | undefined {
  const own = inventoryAddress === undefined ? undefined : canonicalIp(inventoryAddress);
  const isReachable = (url: EtcdUrl): boolean => isIP(url.host) !== 0 && !isLoopback(url.host) && !isWildcard(url);
  const offered = advertised.filter(isReachable);
  const bound = listen.filter(isReachable);
  const isListenedOn = ({ host, port }: EtcdUrl): boolean =>
    listen.some((url) => url.port === port && (url.host === host || isWildcard(url)));
  const found =
    offered.find((url) => url.host === own && isListenedOn(url)) ??
    offered.find(isListenedOn) ??
    bound.find(({ host }) => host === own) ??
    bound[0];
  if (found !== undefined) return { address: found.host, port: found.port };
  const everywhere = listen.find(isWildcard);
  return own === undefined || everywhere === undefined ? undefined : { address: own, port: everywhere.port };
}

/**
 * How a member is asked on its own host: the first of its URLs that its certificate names, as a client verifies that.
 * @param preferred tried first
 */
export function clientUrlOf(
  { listen, advertised }: MemberUrls,
  certificate: X509Certificate,
  preferred: { readonly address: string; readonly port: number },
): string | undefined {
  const names = [
    { host: preferred.address, port: preferred.port },
    ...advertised,
    ...listen.filter((url) => !isWildcard(url)),
    ...listen.filter(isWildcard).map(({ port }) => ({ host: '127.0.0.1', port })),
  ];
  const verified = names.find(({ host }) => isNamed(host, certificate));
  return verified === undefined ? undefined : httpsUrl(verified.host, verified.port);
}

/** How a member is asked on its own host at 127.0.0.1, where it listens there and its certificate names it. */
export function loopbackUrlOf(
  { listen }: Pick<MemberUrls, 'listen'>,
  certificate: X509Certificate,
): string | undefined {
  const own = listen.find(({ host }) => host === '127.0.0.1');
  return own !== undefined && isNamed(own.host, certificate) ? httpsUrl(own.host, own.port) : undefined;
}

/** Go, in which etcd and its clients are written, does not look at the subject (since 1.15). */
function isNamed(host: string, certificate: X509Certificate): boolean {
  const found = isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host);
  return found !== undefined;
}
