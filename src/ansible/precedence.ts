import type { Settings } from './group-vars.js';
import { groupsOf, type GroupNode, type HostNode } from './inventory-graph.js';

/** Variables out of files beside the inventory, by group or host name. */
export interface VariableFiles {
  readonly groups: ReadonlyMap<string, Settings>;
  readonly hosts: ReadonlyMap<string, Settings>;
}

const NONE: Settings = new Map();

/**
 * The layers of a host's variables, lowest first, by Ansible's precedence (ansible/vars/manager.py and
 * VARIABLE_PRECEDENCE): `all` in the inventory, the other groups in the inventory, group_vars/all, the other group_vars,
 * the host in the inventory, its host_vars. Groups stand by depth, then ansible_group_priority, then name.
 */
export function variableLayers(host: HostNode, files: VariableFiles): readonly Settings[] {
  const groups = [...groupsOf(host)].filter((group) => group.name !== 'all').sort(byPrecedence);
  const all = [...groupsOf(host)].find((group) => group.name === 'all');
  return [
    all?.settings ?? NONE,
    ...groups.map((group) => group.settings),
    files.groups.get('all') ?? NONE,
    ...groups.map((group) => files.groups.get(group.name) ?? NONE),
    host.settings,
    files.hosts.get(host.name) ?? NONE,
  ].filter((layer) => layer.size > 0);
}

function byPrecedence(a: GroupNode, b: GroupNode): number {
  return a.depth - b.depth || a.priority - b.priority || (a.name < b.name ? -1 : 1);
}
