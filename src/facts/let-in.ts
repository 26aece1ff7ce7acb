import { FIREWALL_TABLE } from '../model/firewall.js';
import type { Fact } from '../model/remote.js';
import { WITNESS_SETS } from '../shell/firewall.js';

/**
 * Key: `advert ID`, of VRRP for a virtual router id, or `knock PORT`, a connection to a TCP port. The addresses that sent it and came through our table of nftables since it was loaded. The kernel notes
 * them while new rules are on trial, whether or not a program takes what comes; at other times there is nothing.
 */
export const letIn: Fact<readonly string[]> = {
  name: 'let-in',
  script: () => WITNESS_SETS.map((set) => `nft list set ${FIREWALL_TABLE} ${set} 2>/dev/null || :`).join('\n'),
  parse(stdout, keys) {
    const seen = WITNESS_SETS.flatMap((set) => {
      // `elements = { 10.0.0.2 . 0x64, 10.0.0.3 . 0x64 }`, on one line or several.
      const [, elements = ''] = new RegExp(`set ${set} \\{[^}]*elements = \\{([^}]*)\\}`).exec(stdout) ?? [];
      const kind = set.startsWith('adverts') ? 'advert' : 'knock';
      return [...elements.matchAll(/([0-9a-fA-F.:]+) \. (0x[0-9a-fA-F]+|\d+)/g)].map(
        ([, address = '', number = '']) => ({ key: `${kind} ${Number(number)}`, address }),
      );
    });
    return new Map(keys.map((key) => [key, seen.flatMap((each) => (each.key === key ? [each.address] : []))]));
  },
};
