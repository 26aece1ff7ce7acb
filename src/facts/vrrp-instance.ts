import type { Fact } from '../model/remote.js';
import { MAX_ADVERT_S } from '../model/firewall-trial.js';
import { quote } from '../shell/quote.js';

/** What a host runs VRRP with, by the file that is there now. */
export interface VrrpInstance {
  readonly routerId: number;
  readonly advertIntervalS: number;
  /** Absent: keepalived's own, 2 for an IPv4 address and 3 for an IPv6 one. */
  readonly version?: 2 | 3;
  /** The virtual addresses that it would hold. */
  readonly addresses: readonly string[];
}

const NUMBERS = '^[[:space:]]*(virtual_router_id|advert_int|version)[[:space:]]+[0-9]+([.][0-9])?[[:space:]]*$';
const ADDRESSES = '^[[:space:]]*[0-9A-Fa-f.:]+/[0-9]+[[:space:]]+dev[[:space:]]';

/** Key: a configuration file of keepalived, as we write it. Absent: there is none, or it does not say both as keepalived takes them. */
export const vrrpInstance: Fact<VrrpInstance | undefined> = {
  name: 'vrrp-instances',
  script: (files) =>
    files
      .map((file) => {
        const words = `grep -E '${NUMBERS}|${ADDRESSES}' ${quote(file)}`;
        return `{ ${words} 2>/dev/null || :; } | tr -s '[:space:]' ' '; echo`;
      })
      .join('\n'),
  parse(stdout, files) {
    const lines = stdout.split('\n');
    return new Map(files.map((file, index) => [file, readInstance(lines[index] ?? '')]));
  },
};

function readInstance(line: string): VrrpInstance | undefined {
  const [, routerId] = /(?:^| )virtual_router_id 0*(\d{1,3})(?: |$)/.exec(line) ?? [];
  const [, interval] = /(?:^| )advert_int 0*([1-9]\d{0,2}|\.[1-9])(?: |$)/.exec(line) ?? [];
  const [, version] = /(?:^| )version ([23])(?: |$)/.exec(line) ?? [];
  if (routerId === undefined || interval === undefined) return undefined;
  // A host that says more would have the run wait for as long as it likes.
  if (Number(interval) > MAX_ADVERT_S) return undefined;
  return {
    routerId: Number(routerId),
    advertIntervalS: Number(interval),
    addresses: [...line.matchAll(/(?:^| )([0-9A-Fa-f.:]+)\/\d+ dev /g)].flatMap(([, address = '']) => [address]),
    ...(version === undefined ? {} : { version: version === '3' ? 3 : 2 }),
  };
}
