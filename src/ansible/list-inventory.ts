import type { Inventory } from '../model/inventory.js';
import { type PythonValue, WholeFloat } from '../model/python-value.js';
import { loadedOf, type LoadedInventory } from './create-inventory.js';
import type { GroupNode, HostNode } from './inventory-graph.js';
import { variableLayers } from './precedence.js';
import { isMapping, isSequence, type RawValue } from './raw-value.js';

/** A mapping that is printed. */
type Listing = Readonly<Record<string, PythonValue>>;

// The shapes are those of ansible/cli/inventory.py, json_inventory and yaml_inventory.

/** Ansible keeps these to itself (INTERNAL_VARS). */
const INTERNAL = new Set([
  'ansible_diff_mode',
  'ansible_config_file',
  'ansible_facts',
  'ansible_forks',
  'ansible_inventory_sources',
  'ansible_limit',
  'ansible_playbook_python',
  'ansible_run_tags',
  'ansible_skip_tags',
  'ansible_verbosity',
  'ansible_version',
  'inventory_dir',
  'inventory_file',
  'inventory_hostname',
  'inventory_hostname_short',
  'groups',
  'group_names',
  'omit',
  'playbook_dir',
]);

/**
 * What `ansible-inventory --list` prints: groups with their hosts and children, and `_meta.hostvars` merged by precedence,
 * templates not rendered, `!vault` values encrypted.
 * @param hosts only these, from `--limit`
 */
export function listAsJson(inventory: Inventory, hosts: readonly string[] = [...inventory.hosts.keys()]): Listing {
  const loaded = loadedOf(inventory);
  const chosen = new Set(hosts);
  const groups: Record<string, PythonValue> = {};
  const seen = new Set<GroupNode>();
  const add = (group: GroupNode): void => {
    seen.add(group);
    const members = group.name === 'all' ? [] : [...group.hosts].filter((host) => chosen.has(host.name));
    const entry = {
      ...(members.length > 0 && { hosts: members.map((host) => host.name) }),
      ...(group.children.size > 0 && { children: [...group.children].map((child) => child.name) }),
    };
    if (Object.keys(entry).length > 0) groups[group.name] = entry;
    for (const child of group.children) if (!seen.has(child)) add(child);
  };
  for (const top of topGroup(loaded)) add(top);
  const hostvars = hosts.flatMap((name) => {
    const node = loaded.graph.hosts.get(name);
    const variables = node === undefined ? {} : hostVariables(loaded, node);
    return Object.keys(variables).length > 0 ? [[name, variables] as const] : [];
  });
  return { _meta: { hostvars: Object.fromEntries(hostvars) }, ...groups };
}

/** What `ansible-inventory --list --yaml` prints: groups within groups, a host's variables where it is first. */
export function listAsTree(inventory: Inventory, hosts: readonly string[] = [...inventory.hosts.keys()]): Listing {
  const loaded = loadedOf(inventory);
  const chosen = new Set(hosts);
  const seen = new Set<HostNode>();
  const format = (group: GroupNode): Listing => {
    const children = Object.fromEntries([...group.children].map((child) => [child.name, format(child)]));
    const members = group.name === 'all' ? [] : [...group.hosts].filter((host) => chosen.has(host.name));
    const entries = members.map((host) => {
      const variables = seen.has(host) ? {} : hostVariables(loaded, host);
      seen.add(host);
      return [host.name, variables] as const;
    });
    return {
      ...(group.children.size > 0 && { children }),
      ...(entries.length > 0 && { hosts: Object.fromEntries(entries) }),
    };
  };
  return Object.fromEntries(topGroup(loaded).map((group) => [group.name, format(group)]));
}

function topGroup(loaded: LoadedInventory): readonly GroupNode[] {
  return [...loaded.graph.groups.values()].filter((group) => group.name === 'all');
}

function hostVariables(loaded: LoadedInventory, host: HostNode): Listing {
  const merged = new Map(variableLayers(host, loaded.files).flatMap((layer) => [...layer]));
  const shown = [...merged].filter(([name]) => !INTERNAL.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(shown.map(([name, setting]) => [name, asAnsibleShows(setting.value())]));
}

/** Marked values as Ansible's JSON writes them; what came out of an encrypted file stays hidden, unlike there. */
function asAnsibleShows(value: RawValue): PythonValue {
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  if (isSequence(value)) return value.map(asAnsibleShows);
  if (isMapping(value)) return Object.fromEntries([...value].map(([key, item]) => [key, asAnsibleShows(item)]));
  if (!('kind' in value)) return null;
  if (value.kind === 'vault') return { __ansible_vault: value.cipherText };
  return value.kind === 'unsafe' ? { __ansible_unsafe: value.text } : '[redacted]';
}
