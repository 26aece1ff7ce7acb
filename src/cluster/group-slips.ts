import { FORMER_MEMBERS, FORMER_NODES } from '../model/former-groups.js';
import { isNear } from '../model/did-you-mean.js';
import { counted } from '../model/counted.js';
import type { Inventory } from '../model/inventory.js';
import { shortList } from '../model/short-list.js';
import { formerGroupOf, SERVICE_GROUPS } from '../model/virtual-service.js';
import type { VariableReader } from './variable-reader.js';

/** The groups that have a part in the cluster. A missing `etcd` is an error of its own. */
const BALANCERS = Object.values(SERVICE_GROUPS);
const GROUPS = [
  ...BALANCERS,
  ...BALANCERS.map(formerGroupOf),
  FORMER_MEMBERS,
  'kube_control_plane',
  'kube_node',
  FORMER_NODES,
];

/** Names that Ansible and kubespray have beside ours, also in kubespray's old spelling: nothing is wrong with them. */
const OF_OTHERS = new Set(
  ['all', 'ungrouped', 'etcd', 'k8s_cluster', 'k8s-cluster', 'calico_rr', 'calico-rr', 'bastion', 'kube-node'].concat([
    'kube_master',
    'kube-master',
    'kube_nodes_with_taints',
    'broken_etcd',
    'broken_kube_control_plane',
    'gfs-cluster',
  ]),
);

/** In a name this short, another letter makes another word (`etcd_lb`, `etcd_db`); one more or less is a slip. */
const SHORT = 8;

/**
 * Warns of groups that look like slips of ours, where ours is missing, and of hosts in no group at all: what the user
 * counts on there would silently not be done. Other names are other tools' groups.
 */
export function checkGroups(inventory: Inventory, reader: VariableReader): void {
  for (const [name, hosts] of inventory.groups) {
    const meant = groupMeant(name, inventory);
    if (meant === undefined) continue;
    const idle = hosts.length === 0 ? '' : ` (${hosts.join(', ')})`;
    const message = `this program knows no such group, and does nothing on its hosts${idle}; did you mean ${meant}?`;
    reader.report('warning', inventory.groupAt(name), `group ${name}`, message);
  }
  const alone = [...inventory.hosts.values()].filter(({ name, groups }) => groups.length === 0 && name !== 'localhost');
  // Where nobody is in a group, that is what is wrong.
  if (alone.length === 0 || alone.length === inventory.hosts.size) return;
  const message = `${counted(alone.length, 'host')} in no group: no play of this program touches ${alone.length === 1 ? 'it' : 'them'}`;
  reader.report('warning', alone[0]?.at, shortList(alone.map(({ name }) => name)), message);
}

function groupMeant(name: string, { groups }: Inventory): string | undefined {
  if (OF_OTHERS.has(name) || GROUPS.includes(name)) return undefined;
  return GROUPS.find((known) => (groups.get(known) ?? []).length === 0 && isSlip(name, known));
}

function isSlip(name: string, known: string): boolean {
  const given = name.toLowerCase().replaceAll(/[-.]/g, '_');
  const letters = (text: string): string => Array.from(text).sort().join('');
  if (given === known || letters(given) === letters(known)) return true;
  return known.length < SHORT ? given.length !== known.length && isNear(given, known, 1) : isNear(given, known, 2);
}
