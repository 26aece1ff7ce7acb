import { canonicalIp, isAddress } from '../model/ip.js';

/**
 * Tells IP addresses from DNS names: a certificate holds them as different kinds, and the library does not notice an
 * address that is given as a name.
 * @returns each kind sorted, without duplicates; DNS names in lower case
 */
export function splitNames(names: readonly string[]): {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
} {
  const addresses = names.filter(isAddress).map(canonicalIp);
  const dnsNames = names.filter((name) => !isAddress(name)).map((name) => name.toLowerCase());
  return { dnsNames: [...new Set(dnsNames)].sort(), ipAddresses: [...new Set(addresses)].sort() };
}
