import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** What keepalived has heard of others lately. */
export type VrrpHearing =
  | { readonly kind: 'nothing' }
  /** The last line in which it refused an advertisement with its own virtual router id. */
  | { readonly kind: 'stranger'; readonly line: string }
  /** There is no journal, or this user may not read it. */
  | { readonly kind: 'unknown' };

/**
 * What keepalived says, every time, of an advertisement that bears its virtual router id and is not of its group: other
 * password, other version, other addresses, or a sender that is no peer (vrrp.c, vrrp_check_packet, of 2.0 to 2.3).
 */
const COMPLAINTS = [
  'received an invalid passwd',
  'received a [0-9]* auth, expecting',
  'not present in MASTER advert',
  'received an invalid ip number count',
  'expected [0-9]* VIPs but received',
  'wrong version. Received [0-9]* and expect',
];

/** A group of others advertises every few seconds (`advert_int`): what was said longer ago may be over. */
const LATELY = '-30s';

/** Key: keepalived's unit, without `.service`. */
export const vrrpConflicts: Fact<VrrpHearing> = {
  name: 'vrrp-conflicts',
  script: (units) =>
    units
      .map((unit) => {
        const read = `journalctl -q --no-pager -o cat --since=${LATELY} -n 200 -u ${quote(`${unit}.service`)} 2>/dev/null`;
        const patterns = COMPLAINTS.map((text) => `-e ${quote(text)}`).join(' ');
        const last = `printf '%s' "$said" | grep ${patterns} | tail -n 1 | base64 -w 0`;
        return `if said=$(${read}); then printf 'read '; ${last}; else printf unreadable; fi; echo`;
      })
      .join('\n'),
  parse(stdout, units) {
    const lines = stdout.split('\n');
    return new Map(units.map((unit, index) => [unit, readHearing(lines[index] ?? '')]));
  },
};

function readHearing(answer: string): VrrpHearing {
  const [, encoded] = /^read ([A-Za-z0-9+/=]*)$/.exec(answer) ?? [];
  if (encoded === undefined) return { kind: 'unknown' };
  const line = Buffer.from(encoded, 'base64').toString('utf8').trim();
  return line === '' ? { kind: 'nothing' } : { kind: 'stranger', line };
}
