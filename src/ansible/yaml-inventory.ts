import { isMap, isScalar, type Node } from 'yaml';
import { InputError, type Problem, type SourcePosition } from '../model/errors.js';
import { didYouMean } from '../model/did-you-mean.js';
import { expandHostPattern, NAMES_NO_HOST, type ExpandedHosts } from './host-ranges.js';
import {
  addChild,
  addGroup,
  addHost,
  setGroupVariable,
  setHostVariable,
  type GroupNode,
  type InventoryGraph,
} from './inventory-graph.js';
import { plainSetting } from './raw-value.js';
import { problemAt, warn } from './source-text.js';
import { dereference, positionOfNode, type YamlFile } from './yaml-file.js';
import { entriesOf, keyText, settingOf, valueOf, type YamlEntry } from './yaml-values.js';

const SECTIONS = ['vars', 'children', 'hosts'];

/**
 * Reads a YAML inventory into the graph, by the rules of ansible/plugins/inventory/yaml.py.
 * @param path absolute path of the file
 * @throws InputError when the file has another shape, with the place
 */
export function readYamlInventory(graph: InventoryGraph, file: YamlFile, path: string): void {
  const top = dereference(file, file.root);
  if (!isMap(top)) {
    const found = top === null ? 'the file is empty' : 'expected groups (a mapping, with `all:` at the top)';
    throw problemAt(positionOfNode(file, top), 'inventory', found);
  }
  const entries = entriesOf(file, top);
  const plugin = entries.find((entry) => entry.key === 'plugin');
  if (plugin !== undefined) {
    const name = keyText(valueOf(file, plugin.node));
    throw problemAt(
      plugin.at,
      'plugin',
      `this file configures the inventory plugin '${name}', which is not run; write its result to a file first: ` +
        `ansible-inventory -i ${file.source.file} --list --export --yaml > inventory.yml`,
    );
  }
  forEach(entries, (entry) => {
    readGroup(graph, file, path, entry);
  });
}

/** Does all, then throws what was wrong with any, at once. */
function forEach(entries: readonly YamlEntry[], read: (entry: YamlEntry) => void): void {
  const problems: Problem[] = [];
  for (const entry of entries) {
    try {
      read(entry);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new InputError(problems);
}

function readGroup(graph: InventoryGraph, file: YamlFile, path: string, entry: YamlEntry): GroupNode | undefined {
  if (typeof entry.key !== 'string' || entry.key === '') {
    throw problemAt(entry.at, keyText(entry.key), 'a group name must be a text; put it in quotes');
  }
  const content = dereference(file, entry.node);
  if (!isMap(content) && !isNull(file, content)) {
    warn(file.log, entry.at, entry.key, 'is not a group: expected a mapping with hosts, children or vars; skipped');
    return undefined;
  }
  const group = addGroup(graph, entry.key, entry.at);
  if (content === null || !isMap(content)) return group;
  forEach(entriesOf(file, content), (part) => {
    readSection(graph, file, path, group, part);
  });
  return group;
}

function isNull(file: YamlFile, node: Node | null): boolean {
  return node === null || (isScalar(node) && valueOf(file, node) === null);
}

function readSection(graph: InventoryGraph, file: YamlFile, path: string, group: GroupNode, part: YamlEntry): void {
  const section = keyText(part.key);
  const known = SECTIONS.includes(section);
  const entries = sectionEntries(file, part, known);
  if (entries === undefined || !known) {
    const shape = entries === undefined ? ', and it is not a mapping' : '';
    const near = didYouMean(section, SECTIONS);
    warn(
      file.log,
      part.at,
      section,
      `unknown key in group '${group.name}'${shape}, expected hosts, children or vars; skipped${near}`,
    );
    return;
  }
  forEach(entries, (entry) => {
    if (section === 'vars') setGroupVariable(group, keyText(entry.key), settingOf(file, entry));
    else if (section === 'hosts') readHosts(graph, file, path, group, entry);
    else readChild(graph, file, path, group, entry);
  });
}

function readChild(graph: InventoryGraph, file: YamlFile, path: string, group: GroupNode, entry: YamlEntry): void {
  const child = readGroup(graph, file, path, entry);
  if (child === undefined)
    throw problemAt(entry.at, keyText(entry.key), 'is not a group: expected a mapping or nothing');
  addChild(group, child, entry.at);
}

/** The entries of a section. A lone text stands for one entry without content; undefined when it is no mapping. */
function sectionEntries(file: YamlFile, part: YamlEntry, known: boolean): readonly YamlEntry[] | undefined {
  const node = dereference(file, part.node);
  if (isMap(node)) return entriesOf(file, node);
  if (isNull(file, node)) return [];
  if (!known) return undefined;
  const value = valueOf(file, node);
  if (typeof value === 'string') return [{ key: value, node: null, at: positionOfNode(file, node) }];
  const shape = Array.isArray(value) ? 'a list' : keyText(value);
  const advice = Array.isArray(value) ? '; write `name:` in place of `- name`' : '';
  throw problemAt(positionOfNode(file, node), keyText(part.key), `expected a mapping, got ${shape}${advice}`);
}

function readHosts(graph: InventoryGraph, file: YamlFile, path: string, group: GroupNode, entry: YamlEntry): void {
  if (typeof entry.key !== 'string' || entry.key === '') {
    throw problemAt(entry.at, keyText(entry.key), 'a host name must be a text; put it in quotes');
  }
  const { names, port } = expand(entry.key, entry.at);
  if (names.length === 0) warn(file.log, entry.at, entry.key, NAMES_NO_HOST);
  const content = dereference(file, entry.node);
  if (content !== null && !isMap(content) && isTruthy(file, content)) {
    throw problemAt(entry.at, entry.key, 'expected the variables of the host (a mapping) or nothing');
  }
  const settings = (content === null ? [] : entriesOf(file, content)).map(
    (variable) => [keyText(variable.key), settingOf(file, variable)] as const,
  );
  for (const name of names) {
    const isNew = !graph.hosts.has(name);
    const host = addHost(graph, group, { name, at: entry.at, source: path });
    if (isNew && port !== undefined) host.settings.set('ansible_port', plainSetting(port, entry.at));
    for (const [key, setting] of settings) setHostVariable(graph, host, key, setting);
  }
}

/** Ansible takes an empty text, 0 or false for "no variables". */
function isTruthy(file: YamlFile, node: Node): boolean {
  const value = valueOf(file, node);
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function expand(pattern: string, at: SourcePosition): ExpandedHosts {
  try {
    return expandHostPattern(pattern);
  } catch (error) {
    if (error instanceof RangeError) throw problemAt(at, pattern, error.message);
    throw error;
  }
}
