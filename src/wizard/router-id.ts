import { isIPv6 } from 'node:net';
import { virtualRouterId } from '../cluster/keepalived-defaults.js';
import { LISTEN_S } from '../facts/router-ids.js';
import { shortList } from '../model/short-list.js';
import type { CheckResult } from './check-result.js';
import { networkOf, type HostLook, type NetworkLook, type SeenRouterId } from './host-look.js';
import type { NamedHost } from './inventory-answers.js';

/** The largest virtual router id; the smallest is 1 (RFC 5798, section 5.2.3). */
const LAST_ID = 255;

/**
 * Who uses a router id already; a group that has the very virtual IP is that which the inventory is written for. Groups of IPv6 have
 * ids of their own, and were not listened for.
 */
function otherUser(id: number, ip: string, used: readonly SeenRouterId[]): SeenRouterId | undefined {
  return isIPv6(ip) ? undefined : used.find((each) => each.id === id && !each.addresses.includes(ip));
}

/**
 * Of the router ids that were seen, those that the networks of some hosts have, by whichever host that is there: another network may have
 * the same id for another group.
 */
export function idsNear(
  holders: readonly NamedHost[],
  { hosts, looks }: { readonly hosts: readonly NamedHost[]; readonly looks: ReadonlyMap<string, HostLook> | undefined },
  seen: readonly SeenRouterId[],
): readonly SeenRouterId[] {
  const networksOf = (some: readonly NamedHost[]): readonly string[] =>
    some.flatMap((host) => (looks === undefined ? [] : (networkOf([host], looks) ?? [])));
  const networks = networksOf(holders);
  const near = hosts.filter(
    (host) => holders.includes(host) || networksOf([host]).some((each) => networks.includes(each)),
  );
  return seen.filter(({ host }) => near.some(({ name }) => name === host));
}

/** The id that the group of a virtual IP has, where one was seen; else the last byte, its default. */
export function idOfGroup(ip: string, used: readonly SeenRouterId[]): number {
  const own = isIPv6(ip) ? undefined : used.find(({ addresses }) => addresses.includes(ip))?.id;
  return own ?? virtualRouterId(ip);
}

/** An id for a virtual IP that no other group was seen with: the one that its group has, its last byte, or the next one. */
export function proposeRouterId(ip: string, used: readonly SeenRouterId[]): number {
  const first = idOfGroup(ip, used);
  const ids = Array.from({ length: LAST_ID }, (_, index) => ((first - 1 + index) % LAST_ID) + 1);
  return ids.find((id) => otherUser(id, ip, used) === undefined) ?? first;
}

/** The first address whose last byte, its router id by default, no other group was seen with; else the first. */
export function pickVirtualIp({ free, usedIds }: Pick<NetworkLook, 'free' | 'usedIds'>): string | undefined {
  return free.find((ip) => otherUser(virtualRouterId(ip), ip, usedIds) === undefined) ?? free[0];
}

/** A virtual router id that no other group was seen with. */
export function checkRouterId(answer: string, ip: string, used: readonly SeenRouterId[]): CheckResult {
  const id = /^\d{1,3}$/.test(answer) ? Number(answer) : 0;
  if (id < 1 || id > LAST_ID) return `"${answer}" is not a virtual router id; expected 1 to ${LAST_ID}`;
  const other = otherUser(id, ip, used);
  return other === undefined ? true : `${id} is used already: ${describeUse(other)}`;
}

function describeUse({ sender, addresses, host }: SeenRouterId): string {
  const address = addresses.length === 0 ? '' : ` for ${addresses.join(', ')}`;
  return sender === undefined ? `by keepalived on ${host}${address}` : `by ${sender}${address}, heard on ${host}`;
}

/** What was heard, and what could not be; a line each. */
export function whatWasHeard({ listened, usedIds }: Omit<NetworkLook, 'free'>): readonly string[] {
  const groups = new Map(usedIds.map((each) => [JSON.stringify([each.id, each.sender ?? each.host]), each]));
  const used = [...groups.values()].map((each) => `virtual router id ${each.id} is used ${describeUse(each)}`);
  if (listened.length === 0)
    return [
      ...used,
      '! no host could listen for VRRP: whether others use a router id, `provision verify INVENTORY` says once keepalived runs',
    ];
  const other = usedIds.some(({ sender }) => sender !== undefined) ? 'no other VRRP group' : 'no VRRP group';
  const where = `${other} was heard within ${LISTEN_S} s on ${shortList(listened)}`;
  return [...used, `${where}; one that sends to its own peers alone can't be heard by others`];
}
