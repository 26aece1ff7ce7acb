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
  script: () => 'ip -o addr show',
  parse(stdout, keys) {
    // `2: host0@if5    inet 203.0.113.11/24 brd 203.0.113.255 scope global host0\ …`
    const found = [...stdout.matchAll(/^\d+: ([^\s@]+)(?:@\S+)?\s+inet6? ([0-9a-fA-F.:]+)(?:\/(\d+))?/gm)].map(
      ([, name = '', address = '', prefix]): HostAddress => ({
        interface: name,
        address,
        prefixLength: prefix === undefined ? (address.includes(':') ? 128 : 32) : Number(prefix),
      }),
    );
    return new Map(keys.map((key) => [key, found]));
  },
};
