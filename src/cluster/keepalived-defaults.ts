/** The first balancer's priority; each further one has one less. RFC 5798 has 100 as the default of backups. */
const FIRST_PRIORITY = 100;

/** Where the last byte of the virtual IP is 0, which is no virtual router id: keepalived's customary one. */
const FALLBACK_VRID = 51;

/** The virtual router id that goes with a virtual IP: its last byte, so that two virtual IPs of a network differ. */
export function virtualRouterId(ip: string): number {
  const last = ip.includes(':')
    ? Number.parseInt(ip.slice(ip.lastIndexOf(':') + 1) || '0', 16) & 0xff
    : Number(ip.slice(ip.lastIndexOf('.') + 1));
  return last === 0 ? FALLBACK_VRID : last;
}

/**
 * A priority of its own for each balancer: those that are set stay, the others get the highest free ones from 100 down,
 * in the order of the group.
 */
export function assignPriorities(wanted: readonly (number | undefined)[]): readonly number[] {
  const taken = new Set(wanted.filter((priority) => priority !== undefined));
  let next = FIRST_PRIORITY;
  return wanted.map((priority) => {
    if (priority !== undefined) return priority;
    while (taken.has(next)) next -= 1;
    taken.add(next);
    return next;
  });
}
