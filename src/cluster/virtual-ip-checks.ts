import { BlockList, isIP } from 'node:net';
import { networkEdge } from '../model/endpoint.js';
import type { VirtualService } from '../model/virtual-service.js';
import type { CheckContext } from './check-context.js';
import { knownAddresses } from './node-address.js';
import { SERVICE_VARIABLES } from './service-variables.js';

/** Addresses that no host can hold for others: unspecified, loopback, link-local, IPv4 in disguise, multicast, reserved (RFC 6890). */
export function isUnusable(ip: string): boolean {
  const list = new BlockList();
  for (const [net, prefix] of [
    ['0.0.0.0', 8],
    ['127.0.0.0', 8],
    ['224.0.0.0', 3],
  ] as const)
    list.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of [
    ['::', 127],
    ['fe80::', 10],
    ['ff00::', 8],
  ] as const)
    list.addSubnet(net, prefix, 'ipv6');
  return list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}

/** The virtual IP: an address that a host can hold, and that none has. */
export function checkVirtualIp({ name, endpoint: { ip }, balancers }: VirtualService, context: CheckContext): void {
  const { reader, inventory, shared } = context;
  const variables = SERVICE_VARIABLES[name];
  const network = variables.network === undefined ? undefined : shared.value(variables.network);
  const at = shared.at(variables.ip);
  for (const host of inventory.hosts.values()) {
    const same = reader
      .attempt(undefined, host.name, () => knownAddresses(host))
      ?.find(({ address }) => address === ip);
    if (same !== undefined) {
      reader.report(
        'error',
        at,
        variables.ip,
        `${ip} is ${same.variable} of ${host.name}; the virtual IP must be an address that no host has`,
      );
    }
  }
  const family = isIP(ip);
  for (const host of balancers.flatMap((balancer) => inventory.hosts.get(balancer.host) ?? [])) {
    const address = knownAddresses(host)[0]?.address;
    if (address !== undefined && isIP(address) !== family) {
      reader.report(
        'error',
        at,
        variables.ip,
        `${ip} is IPv${family}, and ${host.name} has ${address}; they must be of one kind`,
      );
    }
  }
  if (isUnusable(ip))
    reader.report(
      'error',
      at,
      variables.ip,
      `${ip} is unspecified, loopback, multicast or reserved: expected an address that a host can hold`,
    );
  if (network === undefined) return;
  const [base = '', prefix = ''] = network.split('/');
  const edge = networkEdge(ip, base, Number(prefix));
  if (!isWithin(ip, network)) reader.report('error', at, variables.ip, `${ip} is not in keepalived_network ${network}`);
  else if (edge !== undefined)
    reader.report(
      'error',
      at,
      variables.ip,
      `${ip} is the ${edge} address of keepalived_network ${network}; expected one that a host can hold`,
    );
}

/**
 * What a version of VRRP can't do: 2 has whole seconds on the wire, of 0.5 keepalived makes 1, and of 0.4 a flood (acassen/keepalived#1615);
 * 3 has no password.
 */
export function checkAdverts({ balancers }: VirtualService, { reader, shared }: CheckContext): void {
  const isBare = balancers.some(({ keepalived }) => keepalived.vrrpVersion === 3 && keepalived.authPass !== undefined);
  if (isBare) {
    const at = shared.at('keepalived_auth_pass');
    reader.report('warning', at, 'keepalived_auth_pass', 'has no effect: VRRP version 3 has no password');
  }
  const hasty = balancers.find(({ keepalived }) => keepalived.vrrpVersion === 2 && keepalived.advertIntervalS < 1);
  if (hasty === undefined) return;
  reader.report(
    'error',
    shared.at('keepalived_advert_int'),
    'keepalived_advert_int',
    `${hasty.keepalived.advertIntervalS} needs VRRP version 3; expected whole seconds, or keepalived_vrrp_version: 3`,
  );
}

function isWithin(ip: string, network: string): boolean {
  const [base = '', prefix = ''] = network.split('/');
  const family = base.includes(':') ? 'ipv6' : 'ipv4';
  if (isIP(ip) !== (family === 'ipv6' ? 6 : 4)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(prefix), family);
  return list.check(ip, family);
}
