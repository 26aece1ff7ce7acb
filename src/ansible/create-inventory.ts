import { dirname } from 'node:path';
import { didYouMean } from '../model/did-you-mean.js';
import { InputError, type Problem } from '../model/errors.js';
import type { Connection, Host, Inventory } from '../model/inventory.js';
import type { Json } from '../model/json.js';
import type { TemplateValue } from '../model/marked-text.js';
import type { Secret } from '../model/secret.js';
import { readConnection } from './connection.js';
import type { Settings } from './group-vars.js';
import { createHostView, templateLayer, UndefinedVariableError, valueLayer, type HostView } from './host-view.js';
import { groupsOf, hostsOf, type HostNode, type InventoryGraph } from './inventory-graph.js';
import type { TemplateEngine } from './jinja.js';
import { OMIT } from './omit.js';
import { variableLayers, type VariableFiles } from './precedence.js';
import { TemplateError } from './template-error.js';
import { decryptVault } from './vault.js';

/** Variables that this program gives to templates where an inventory has none of that name; their meaning is not Ansible's. */
export interface ProvidedVariables {
  readonly names: readonly string[];
  /** @returns undefined when there is none of that name, or nothing to derive it from */
  get(inventory: Inventory, host: string, name: string): Json | undefined;
}

/** Everything that was loaded. */
export interface LoadedInventory {
  /** As the user typed it. */
  readonly file: string;
  /** The same, absolute. */
  readonly path: string;
  readonly directory: string;
  readonly digest: string;
  readonly warnings: readonly Problem[];
  readonly graph: InventoryGraph;
  readonly files: VariableFiles;
  readonly engine: TemplateEngine;
  readonly vaultPassword: Secret | undefined;
  readonly provided: ProvidedVariables | undefined;
  /** The absolute path of a key file named in a variable. */
  readonly resolvePath: (path: string) => string;
}

const loadedFrom = new WeakMap<Inventory, LoadedInventory>();

/** What an inventory was made from, raw values included. @throws TypeError for one that {@link createInventory} did not make */
export function loadedOf(inventory: Inventory): LoadedInventory {
  const loaded = loadedFrom.get(inventory);
  if (loaded === undefined) throw new TypeError('this inventory was not loaded from files');
  return loaded;
}

/** What the views of one inventory share. */
interface Shared {
  readonly loaded: LoadedInventory;
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly nodes: ReadonlyMap<string, HostNode>;
  /** Play variables, topmost first to be asked. */
  readonly extra: readonly Settings[];
  readonly views: Map<string, HostView>;
  /** Clear texts of vault values, by cipher text: one key takes 10 ms to derive, and groups share values. */
  readonly opened: Map<string, string>;
  readonly inventory: () => Inventory;
}

/** The inventory of what was loaded. */
export function createInventory(loaded: LoadedInventory): Inventory {
  const groups = new Map(
    [...loaded.graph.groups.values()].map((group) => [group.name, hostsOf(group).map((host) => host.name)]),
  );
  // In the order of the files. What ends in no group, as a host of an `ungrouped` that is another group's child, is no host.
  const all = new Set(groups.get('all'));
  const nodes = new Map([...loaded.graph.hosts].filter(([name]) => all.has(name)));
  return overlay({ loaded, groups, nodes, extra: [], opened: new Map() });
}

function overlay(parts: Omit<Shared, 'views' | 'inventory'>): Inventory {
  const { loaded } = parts;
  const shared: Shared = { ...parts, views: new Map(), inventory: () => inventory };
  let hosts: ReadonlyMap<string, Host> | undefined;
  const inventory: Inventory = {
    file: loaded.file,
    directory: loaded.directory,
    digest: loaded.digest,
    // A loop makes one inventory for each of its items, of which one host is looked at.
    get hosts() {
      return (hosts ??= new Map([...shared.nodes.keys()].map((name) => [name, hostOf(shared, name)])));
    },
    groups: shared.groups,
    groupAt: (name) => loaded.graph.groups.get(name)?.at,
    warnings: loaded.warnings,
    render: (host, text, values) => onHost(shared, host, values, (view) => loaded.engine.render(text, view.scope)),
    test: (host, expression) => onHost(shared, host, undefined, (view) => loaded.engine.test(expression, view.scope)),
    withVariables: (extra) => overlay({ ...parts, extra: [...parts.extra, templateLayer(extra)] }),
    withValues: (values) => overlay({ ...parts, extra: [...parts.extra, valueLayer(values)] }),
  };
  loadedFrom.set(inventory, loaded);
  return inventory;
}

function hostOf(shared: Shared, name: string): Host {
  let connection: Connection | undefined;
  const node = shared.nodes.get(name);
  return {
    name,
    at: node?.at,
    groups: node === undefined ? [] : groupNames(node).filter((group) => group !== 'ungrouped'),
    get variables() {
      return viewOf(shared, name).variables;
    },
    get connection() {
      const { variables } = viewOf(shared, name);
      return (connection ??= readConnection({ host: name, variables, resolvePath: shared.loaded.resolvePath }));
    },
  };
}

function groupNames(node: HostNode): readonly string[] {
  return [...groupsOf(node)]
    .map((group) => group.name)
    .filter((group) => group !== 'all')
    .sort();
}

function onHost<T>(
  shared: Shared,
  host: string,
  values: Readonly<Record<string, TemplateValue>> | undefined,
  run: (view: HostView) => T,
): T {
  const view = values === undefined ? viewOf(shared, host) : newView(shared, host, valueLayer(values));
  try {
    return run(view);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const problem: Problem = { severity: 'error', subject: `host ${host}`, message: error.message };
    throw error.kind === 'undefined' ? new UndefinedVariableError([problem]) : new InputError([problem]);
  }
}

function viewOf(shared: Shared, host: string): HostView {
  const view = shared.views.get(host) ?? newView(shared, host);
  shared.views.set(host, view);
  return view;
}

function newView(shared: Shared, host: string, values?: Settings): HostView {
  const node = shared.nodes.get(host);
  if (node === undefined) {
    const message = `there is no such host in ${shared.loaded.file}${didYouMean(host, shared.nodes.keys())}`;
    throw new InputError([{ severity: 'error', subject: host, message }]);
  }
  const { provided } = shared.loaded;
  const layers = [
    ...variableLayers(node, shared.loaded.files),
    ...shared.extra,
    ...(values === undefined ? [] : [values]),
  ];
  return createHostView({
    host,
    layers,
    engine: shared.loaded.engine,
    magic: (name) => magicVariable(shared, node, name),
    derived: (name) => provided?.get(shared.inventory(), host, name),
    other: (other, name) => viewOf(shared, other).value(name),
    knownNames: [...MAGIC_NAMES, ...(provided?.names ?? [])],
    openVault: ({ cipherText }, subject) => openVault(shared, cipherText, subject),
  });
}

function openVault(shared: Shared, cipherText: string, subject: string): string {
  const clear = shared.opened.get(cipherText) ?? decryptVault(cipherText, shared.loaded.vaultPassword, subject);
  shared.opened.set(cipherText, clear);
  return clear;
}

const MAGIC_NAMES = [
  'inventory_hostname',
  'inventory_hostname_short',
  'group_names',
  'groups',
  'hostvars',
  'inventory_dir',
  'inventory_file',
  'omit',
];

function magicVariable(shared: Shared, node: HostNode, name: string): Json | undefined {
  switch (name) {
    case 'inventory_hostname':
      return node.name;
    case 'inventory_hostname_short':
      return /^[\d.]+$|:/.test(node.name) ? node.name : (node.name.split('.')[0] ?? node.name);
    case 'group_names':
      return groupNames(node);
    case 'groups':
      return Object.fromEntries(shared.groups);
    case 'hostvars':
      // Whole, it only tells which hosts there are; a variable of one host is looked up past this.
      return Object.fromEntries([...shared.nodes.keys()].map((host) => [host, {}]));
    case 'inventory_file':
      return node.source;
    case 'inventory_dir':
      return dirname(node.source);
    case 'omit':
      return OMIT;
    default:
      return undefined;
  }
}
