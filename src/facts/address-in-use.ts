import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/**
 * Key: an IP address of a network that the host is on. The hardware address that answers for it now; `undefined` when
 * nobody does. A connection attempt makes the kernel ask by ARP or neighbour discovery; what it learned stands in its
 * table. What it knew before is dropped first: an old entry hides a host that is there, and shows one that is gone.
 * Only `REACHABLE` counts.
 */
export const addressInUse: Fact<string | undefined> = {
  name: 'addresses-in-use',
  script: (addresses) =>
    addresses
      .map(
        (address) =>
          `ip neigh flush to ${quote(address)} 2>/dev/null; timeout 1 bash -c ${quote(`: </dev/tcp/${address}/9`)} 2>/dev/null; printf 'A %s\\n' "$(ip neigh show to ${quote(address)})"`,
      )
      .join('\n'),
  parse(stdout, addresses) {
    const lines = stdout.split('\n').filter((line) => line.startsWith('A '));
    return new Map(
      addresses.map((address, index) => [address, /lladdr (\S+).* REACHABLE/.exec(lines[index] ?? '')?.[1]]),
    );
  },
};
