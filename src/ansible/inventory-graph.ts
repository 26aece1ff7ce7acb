import type { SourcePosition } from '../model/errors.js';
import type { Setting } from './raw-value.js';
import { problemAt } from './source-text.js';

/** A group while the files are read. */
export interface GroupNode {
  readonly name: string;
  /** Where it is named first; nowhere, of the groups that always exist. */
  readonly at: SourcePosition | undefined;
  /** Longest way down from a top group; decides precedence. */
  depth: number;
  /** `ansible_group_priority`. */
  priority: number;
  readonly hosts: Set<HostNode>;
  readonly children: Set<GroupNode>;
  readonly parents: Set<GroupNode>;
  readonly settings: Map<string, Setting>;
}

/** A host while the files are read. */
export interface HostNode {
  readonly name: string;
  readonly settings: Map<string, Setting>;
  /** Groups that name the host themselves. */
  readonly direct: Set<GroupNode>;
  readonly at: SourcePosition;
  /** Absolute path of the file that named it first. */
  readonly source: string;
}

/** All groups and hosts, in the order in which they were first named. The rules are those of ansible/inventory/data.py. */
export interface InventoryGraph {
  readonly groups: Map<string, GroupNode>;
  readonly hosts: Map<string, HostNode>;
}

/** A graph with the groups that always exist. */
export function emptyGraph(): InventoryGraph {
  const graph: InventoryGraph = { groups: new Map(), hosts: new Map() };
  link(addGroup(graph, 'all'), addGroup(graph, 'ungrouped'));
  return graph;
}

/** The group of that name, made when it is new. @param at where it is named */
export function addGroup(graph: InventoryGraph, name: string, at?: SourcePosition): GroupNode {
  const known = graph.groups.get(name);
  if (known !== undefined) return known;
  const group: GroupNode = {
    name,
    at,
    depth: 0,
    priority: 1,
    hosts: new Set(),
    children: new Set(),
    parents: new Set(),
    settings: new Map(),
  };
  graph.groups.set(name, group);
  return group;
}

/** The host of that name, made when it is new, as a member of the group. */
export function addHost(
  graph: InventoryGraph,
  group: GroupNode,
  host: { readonly name: string; readonly at: SourcePosition; readonly source: string },
): HostNode {
  let node = graph.hosts.get(host.name);
  if (node === undefined) {
    node = { ...host, settings: new Map(), direct: new Set() };
    graph.hosts.set(host.name, node);
  }
  group.hosts.add(node);
  node.direct.add(group);
  return node;
}

/** Makes one group a child of another. @throws InputError when that closes a circle: `all` is above every group */
export function addChild(parent: GroupNode, child: GroupNode, at: SourcePosition): void {
  if (parent === child || child.name === 'all' || ancestorsOf(parent).has(child)) {
    throw problemAt(
      at,
      child.name,
      `group '${child.name}' cannot be a child of '${parent.name}': that is a circle of groups`,
    );
  }
  link(parent, child);
}

function link(parent: GroupNode, child: GroupNode): void {
  if (parent.children.has(child)) return;
  parent.children.add(child);
  child.parents.add(parent);
  deepen(child, parent.depth + 1);
}

function deepen(group: GroupNode, depth: number): void {
  if (group.depth >= depth) return;
  group.depth = depth;
  for (const child of group.children) deepen(child, depth + 1);
}

/**
 * Sets a variable of a group; `ansible_group_priority` is no variable but the group's rank among its equals.
 * @throws InputError when that rank is not a whole number
 */
export function setGroupVariable(group: GroupNode, name: string, setting: Setting): void {
  if (name !== 'ansible_group_priority') {
    group.settings.set(name, setting);
    return;
  }
  const value = setting.value();
  const priority = typeof value === 'string' && /^[-+]?\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof priority !== 'number') throw problemAt(setting.at, name, 'expected a whole number');
  group.priority = Math.trunc(priority);
}

/**
 * Sets a variable that is written at a host. As Ansible (inventory/data.py, set_variable): where a group has the host's
 * name, the variable is the group's.
 */
export function setHostVariable(graph: InventoryGraph, host: HostNode, name: string, setting: Setting): void {
  const twin = graph.groups.get(host.name);
  if (twin === undefined) host.settings.set(name, setting);
  else setGroupVariable(twin, name, setting);
}

/** All groups above one. */
function ancestorsOf(group: GroupNode): ReadonlySet<GroupNode> {
  const found = new Set<GroupNode>(group.parents);
  for (const parent of found) for (const above of parent.parents) found.add(above);
  return found;
}

/** The hosts of a group and of the groups below it, nearest groups first, as Ansible orders them. */
export function hostsOf(group: GroupNode): readonly HostNode[] {
  const groups = new Set<GroupNode>([group]);
  for (const member of groups) for (const child of member.children) groups.add(child);
  const hosts = new Set<HostNode>();
  for (const member of groups) for (const host of member.hosts) hosts.add(host);
  return [...hosts];
}

/** All groups that hold the host, directly or through children, `all` included. */
export function groupsOf(host: HostNode): ReadonlySet<GroupNode> {
  const found = new Set(host.direct);
  for (const group of found) for (const parent of group.parents) found.add(parent);
  return found;
}

/** What Ansible does when all files are read: every group hangs below `all`, every lone host in `ungrouped`. */
export function reconcile(graph: InventoryGraph): void {
  const all = addGroup(graph, 'all');
  const ungrouped = addGroup(graph, 'ungrouped');
  for (const group of graph.groups.values()) {
    if (group !== all && group.parents.size === 0) link(all, group);
  }
  for (const host of graph.hosts.values()) {
    const others = [...groupsOf(host)].filter((group) => group !== all && group !== ungrouped);
    if (others.length > 0) {
      ungrouped.hosts.delete(host);
      host.direct.delete(ungrouped);
    } else {
      ungrouped.hosts.add(host);
      host.direct.add(ungrouped);
    }
  }
}
