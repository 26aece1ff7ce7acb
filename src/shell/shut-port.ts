import { isIP } from 'node:net';
import { addressBytes } from '../model/ip.js';
import { quote } from './quote.js';

/**
 * As long as etcdctl tries a connection before it gives up, in seconds: 3.4 to 3.6 connect again and again to a port that refuses, until
 * the time of the whole question is over (clientv3, `WithBlock` is not set; grpc backs off and retries).
 */
const CONNECT_LIMIT_S = 5;

/** Who asks: the member's own host, which sees what listens, or any other one. */
export type AskedFrom = 'own-host' | 'another-host';

/**
 * Lines that define `shut`, for {@link shutAt}: certain that no connection to a port opens, and why, in `$why`. A name that takes long says
 * nothing: bash tries its addresses one after the other, etcdctl side by side. What listens on this host is found without a connection:
 * etcd complains of each that ends without TLS. Whatever else comes of it is left to etcdctl: a host without bash, a name that is not
 * known, what accepts and says nothing.
 */
export const SHUT: readonly string[] = [
  'shut() {',
  '  [ -z "$3" ] || ! grep -qsE -e "$3" /proc/net/tcp /proc/net/tcp6 || return 1',
  // bash opens a connection for such a name (bash(1), REDIRECTION).
  `  why=$(timeout ${CONNECT_LIMIT_S} bash -c '</dev/tcp/$0/$1' "$1" "$2" 2>&1) && return 1`,
  '  case $?:$why in',
  `    124:*) [ -n "$4" ] || return 1; why='no connection within ${CONNECT_LIMIT_S} s' ;;`,
  `    *'Connection refused'*) why='connection refused' ;;`,
  `    *'No route to host'*) why='no route to host' ;;`,
  `    *'Network is unreachable'*) why='network is unreachable' ;;`,
  '    *) return 1 ;;',
  '  esac',
  '}',
];

/** A command for a condition: whether {@link SHUT} is certain of the port of a URL. */
export function shutAt(url: string, from: AskedFrom): string {
  const { protocol, hostname, port } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '', port: '' };
  if (!/^https?:$/.test(protocol)) return 'false';
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port);
  const words = [from === 'own-host' ? listeningPattern(host, number) : '', isIP(host) === 0 ? '' : 'address'];
  return `shut ${quote(host)} ${number} ${words.map(quote).join(' ')}`;
}

/** Finds a socket that listens for an address in /proc/net/tcp and tcp6 (proc(5)); empty where that is not known. */
function listeningPattern(host: string, port: number): string {
  const address = host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(address) === 0) return '';
  // Four bytes are one number, the lowest one first as on most machines; on others it is not found, and a connection tried.
  const words = addressBytes(address)
    .toString('hex')
    .replaceAll(/(..)(..)(..)(..)/g, '$4$3$2$1')
    .toUpperCase();
  const end = port.toString(16).toUpperCase().padStart(4, '0');
  // To all addresses, by the one protocol or by both; a socket that listens has no other end, and the state 0A.
  return `: (${words}|0{8}|0{32}):${end} 0+:0000 0A `;
}
