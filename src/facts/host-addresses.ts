import type { Fact } from '../model/remote.js';

/** One address of a host. */
export interface HostAddress {
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** The one key of {@link hostAddresses}. */
export const ALL_ADDRESSES = 'all';

/** Key: {@link ALL_ADDRESSES}. Every address of the host, with its interface. */
export const hostAddresses: Fact<readonly HostAddress[]> = {
  name: 'host-addresses',
  // The names as well, those that begin with a dot too: `a@b` is one, or `a` on `b`.
  script: () => String.raw`ip -o addr show; printf 'N %s\n' /sys/class/net/* /sys/class/net/.*`,
  parse(stdout, keys) {
    // `2: host0@if5    inet 203.0.113.11/24 brd 203.0.113.255 scope global host0\ …`
    const names = new Set([...stdout.matchAll(/^N \/sys\/class\/net\/(\S+)$/gm)].map(([, name = '']) => name));
    const found = [...stdout.matchAll(/^\d+: (\S+)\s+inet6? ([0-9a-fA-F.:]+)(?:\/(\d+))?/gm)].map(
      ([, name = '', address = '', prefix]): HostAddress => ({
        interface: interfaceOf(name, names),
        address,
        prefixLength: prefix === undefined ? (address.includes(':') ? 128 : 32) : Number(prefix),
      }),
    );
    return new Map(keys.map((key) => [key, found]));
  },
};

/** `host0@if5` is host0, whose other end is if5; a name may hold an `@` of its own. */
function interfaceOf(shown: string, names: ReadonlySet<string>): string {
  return names.has(shown) ? shown : shown.replace(/@[^@]*$/, '');
}
