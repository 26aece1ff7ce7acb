import { canonicalIp, isAddress } from '../model/ip.js';
import type { Host } from '../model/inventory.js';

/** Where a node's address is looked for; `ip` and `access_ip` are kubespray's. */
const SOURCES = ['ip', 'access_ip', 'ansible_host'];

/** A node's address and the variable that holds it. */
export interface NodeAddress {
  readonly address: string;
  readonly variable: string;
}

/**
 * The IP address by which nodes reach each other: `ip`, else `access_ip`, else `ansible_host` or the host's name when
 * that is an address.
 * @returns undefined when none is an IP address
 */
export function nodeAddress(host: Host): NodeAddress | undefined {
  for (const variable of SOURCES) {
    const address = host.variables.get(variable);
    if (typeof address === 'string' && isAddress(address)) return { address: canonicalIp(address), variable };
    // A wrong `ip` is a slip: it must not be made up for in silence.
    if (address !== undefined && address !== null && variable !== 'ansible_host') return undefined;
  }
  return isAddress(host.name) ? { address: canonicalIp(host.name), variable: 'inventory_hostname' } : undefined;
}

/** Every address that some variable of a host names. */
export function knownAddresses(host: Host): readonly NodeAddress[] {
  return SOURCES.flatMap((variable) => {
    const address = host.variables.get(variable);
    return typeof address === 'string' && isAddress(address) ? [{ address: canonicalIp(address), variable }] : [];
  });
}
