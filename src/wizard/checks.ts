import { BlockList, isIP } from 'node:net';
import { isUnusable } from '../cluster/virtual-ip-checks.js';
import { canonicalIp } from '../model/ip.js';
import { networkEdge } from '../model/endpoint.js';
import type { CheckResult } from './check-result.js';
import { HOST_NAME } from './host-list.js';
import type { NamedHost } from './inventory-answers.js';
import { onceFinished, type WhileTyping } from './problem-line.js';

/** A virtual IP: no address of a host, not every address, not this machine. @param text may be empty: no load balancer */
export function checkVirtualIp(text: string, hosts: readonly NamedHost[]): CheckResult {
  if (text === '') return true;
  const version = isIP(text);
  if (version === 0) return `"${text}" is not an IP address`;
  const holder = hosts.find(({ address }) => canonicalIp(address) === canonicalIp(text));
  if (holder !== undefined) return `${text} is the address of ${holder.name}; the virtual IP must be a free one`;
  if (isUnusable(text)) return `${text} is unspecified, loopback, multicast or reserved: no host can hold it`;
  const other = hosts.find(({ address }) => isIP(address) !== version);
  return other === undefined ? true : `${text} is IPv${version}, but ${other.name} has ${other.address}`;
}

/** What makes an address of the beginning of one, of either family. */
const ADDRESS_ENDINGS = ['.0.0.1', '0.0.1', '.0.1', '0.1', '.1', '1', '::', ':1', '::1', ':'];

/** {@link checkVirtualIp}, as one is typed. @param check what is wrong with an address, or with a word in its place */
export function typedVirtualIp(check: WhileTyping): WhileTyping {
  return onceFinished(
    (text) => ('none'.startsWith(text) ? true : check(text)),
    (text) => isIP(text) !== 0,
    ADDRESS_ENDINGS,
  );
}

/** A network, as one is typed. */
export function typedNetwork(check: WhileTyping): WhileTyping {
  const endings = ['/8', '8', ...ADDRESS_ENDINGS.map((ending) => `${ending}/8`)];
  return onceFinished(check, (text) => checkNetworkForm(text) === true, endings);
}

/** A DNS name, as one is typed. */
export function typedDnsName(check: WhileTyping): WhileTyping {
  return onceFinished(check, (text) => checkDnsName(text) === true, ['a']);
}

function networkParts(text: string): { readonly base: string; readonly bits: number; readonly version: number } {
  const [base = '', bits = ''] = text.split('/');
  return { base, bits: /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN, version: isIP(base) };
}

/** A CIDR, whatever it holds. */
export function checkNetworkForm(text: string): CheckResult {
  const { bits, version } = networkParts(text);
  if (version !== 0 && bits <= (version === 4 ? 32 : 128)) return true;
  return `"${text}" is not a network; expected for example 10.0.0.0/24`;
}

/** A CIDR that holds the virtual IP and every balancer. @param text may be empty: not checked */
export function checkNetwork(text: string, ip: string, balancers: readonly NamedHost[]): CheckResult {
  if (text === '') return true;
  const form = checkNetworkForm(text);
  if (form !== true) return form;
  const { base, bits, version } = networkParts(text);
  const network = new BlockList();
  network.addSubnet(base, bits, version === 4 ? 'ipv4' : 'ipv6');
  const outside = [{ name: 'the virtual IP', address: ip }, ...balancers].filter(
    ({ address }) => !network.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
  );
  if (outside.length > 0)
    return outside.map(({ name, address }) => `${name} (${address}) is not in ${text}`).join('; ');
  const edge = networkEdge(ip, base, bits);
  return edge === undefined ? true : `${ip} is the ${edge} address of ${text}, which no host can hold`;
}

/** A DNS name. @param text may be empty: none */
export function checkDnsName(text: string): CheckResult {
  if (text === '') return true;
  return isIP(text) === 0 && HOST_NAME.test(text) ? true : `"${text}" is not a DNS name`;
}

/** A TCP port. */
export function checkPort(text: string): CheckResult {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535
    ? true
    : `"${text}" is not a port; expected 1 to 65535`;
}

/** A login name: the characters that Debian's adduser takes (NAME_REGEX_SYSTEM). */
export function checkUser(text: string): CheckResult {
  return /^[a-z_][-a-z0-9_]{0,31}$/.test(text) ? true : `"${text}" is not a login name`;
}
