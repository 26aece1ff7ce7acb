import { isIP } from 'node:net';

/**
 * Whether a text is an address that the same host has for everybody: one with a zone (`fe80::1%eth0`, RFC 4007) means
 * something on one host only, and no URL and no certificate can hold it.
 */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** One spelling for one address, so that `::1` and `0:0:0:0:0:0:0:1` compare equal. Anything else is returned as it is. */
export function canonicalIp(address: string): string {
  return isIP(address) === 6 && isAddress(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** An address as it travels: 4 bytes, or 16. */
export function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // Node writes an address in its shortest form; a URL's host has one `::` at most.
  const [head = '', tail = ''] = canonicalIp(address).split('::');
  const groupsOf = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
