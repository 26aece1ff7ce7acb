import { FIREWALL_FILE, FIREWALL_TABLE } from '../model/firewall.js';
import type { Fact } from '../model/remote.js';
import { FIREWALL_SWITCH } from '../shell/firewall.js';
import { quote } from '../shell/quote.js';

/** Our table of nftables on a host. */
export interface FirewallTable {
  /** Whether the host has `nft`. */
  readonly hasNft: boolean;
  /** As the kernel has it, in the words of `nft`; absent: it is not loaded. */
  readonly loaded: string | undefined;
  /** As its file says, in the same words; absent: there is no file, or it can't be loaded. */
  readonly kept: string | undefined;
  /** Whether a timer of the host takes it back in a moment. */
  readonly isOnTrial: boolean;
}

/** The key: there is one such table. */
export const OUR_TABLE = 'ours';

/**
 * Key: {@link OUR_TABLE}. The file is loaded into a network namespace that ends with the command: what `nft` of that very host
 * makes of it is compared with what it has, whatever words its version uses. Counters are left out.
 */
export const firewallTable: Fact<FirewallTable> = {
  name: 'firewall-tables',
  script: () =>
    [
      'if command -v nft >/dev/null 2>&1; then',
      `  printf 'L '; nft -s list table ${FIREWALL_TABLE} 2>/dev/null | base64 -w0; echo`,
      `  printf 'K '; if [ -f ${FIREWALL_FILE} ]; then unshare -n sh -c ${quote(`nft -f ${FIREWALL_FILE} && nft -s list table ${FIREWALL_TABLE}`)} 2>/dev/null | base64 -w0; fi; echo`,
      `  printf 'T '; systemctl is-active ${FIREWALL_SWITCH}.timer || :`,
      'else echo -; fi',
    ].join('\n'),
  parse(stdout, keys) {
    const table = readTable(stdout);
    return new Map(keys.map((key) => [key, table]));
  },
};

function readTable(stdout: string): FirewallTable {
  if (stdout.trim() === '-') return { hasNft: false, loaded: undefined, kept: undefined, isOnTrial: false };
  const textOf = (mark: string): string | undefined => {
    const [, encoded] = new RegExp(`^${mark} ([A-Za-z0-9+/=]*)$`, 'm').exec(stdout) ?? [];
    if (encoded === undefined) throw new Error('nft said nothing of its table');
    return encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  };
  return { hasNft: true, loaded: textOf('L'), kept: textOf('K'), isOnTrial: /^T active$/m.test(stdout) };
}
