import { selectHosts } from '../ansible/host-patterns.js';
import { FORMER_MEMBERS, FORMER_NODES, formerBalancersGroup } from '../model/former-groups.js';
import type { Inventory } from '../model/inventory.js';
import { formerGroupOf, SERVICE_GROUPS } from '../model/virtual-service.js';

/** The control machine's own name in `hosts:`; it is always there, whatever `--limit` says. */
const CONTROL_MACHINE = 'localhost';

/** Groups that an inventory may leave out, and the group that stands in for one; none: its plays have no hosts. */
const OPTIONAL_GROUPS: ReadonlyMap<string, string | undefined> = new Map<string, string | undefined>([
  ['etcd_lb', 'etcd'],
  ['kube_apiserver_lb', 'kube_control_plane'],
  ['kube_control_plane', undefined],
  [FORMER_MEMBERS, undefined],
  [FORMER_NODES, undefined],
  ['kube_node', undefined],
  ...Object.values(SERVICE_GROUPS).map((group) => [formerGroupOf(group), undefined] as const),
]);

/** The control machine is always there, unless the inventory lists it as a host like any other. */
export function isAllowed(host: string, { hosts }: Inventory, allowed: ReadonlySet<string> | undefined): boolean {
  return allowed === undefined || allowed.has(host) || (host === CONTROL_MACHINE && !hosts.has(host));
}

/** The hosts that a play's pattern stands for. @throws InputError for a group or host that there is not */
export function hostsOf(pattern: string, inventory: Inventory): readonly string[] {
  if (pattern === CONTROL_MACHINE) return [CONTROL_MACHINE];
  // Of several groups, any may be left out.
  const groups = pattern.split(':');
  if (groups.length > 1 && groups.every((group) => OPTIONAL_GROUPS.has(group) || inventory.groups.has(group)))
    return [...new Set(groups.flatMap((group) => hostsOf(group, inventory)))];
  const standIn = standInFor(pattern, inventory);
  if (standIn === undefined) return [];
  return selectHosts(inventory, standIn);
}

function standInFor(given: string, inventory: Inventory): string | undefined {
  const pattern = given === formerGroupOf(SERVICE_GROUPS.etcd) ? formerBalancersGroup(inventory) : given;
  if (!OPTIONAL_GROUPS.has(pattern) || inventory.groups.has(pattern)) return pattern;
  const other = OPTIONAL_GROUPS.get(pattern);
  return other === undefined ? undefined : standInFor(other, inventory);
}

/** How many hosts of a play are worked on at once; `undefined`: all. */
export function batchSize(serial: number | string | undefined, hosts: number): number | undefined {
  if (typeof serial !== 'string') return serial;
  // As Ansible: a percentage is rounded down, and is at least one host.
  return Math.max(1, Math.floor((hosts * Number.parseInt(serial, 10)) / 100));
}
