import { FIREWALL_TABLE } from '../model/firewall.js';
import type { Fact } from '../model/remote.js';

/** Key: anything. How many packets of VRRP our table of nftables has let in since it was loaded. */
export const vrrpHeard: Fact<number> = {
  name: 'vrrp-heard',
  script: () => `nft list chain ${FIREWALL_TABLE} vrrp 2>/dev/null || :`,
  parse(stdout, keys) {
    const counted = [...stdout.matchAll(/counter packets (\d+) bytes \d+ accept/g)].map(([, packets]) =>
      Number(packets),
    );
    const sum = counted.reduce((total, packets) => total + packets, 0);
    return new Map(keys.map((key) => [key, sum]));
  },
};
