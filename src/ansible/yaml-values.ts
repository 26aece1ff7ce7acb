import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';
import type { SourcePosition } from '../model/errors.js';
import { WholeFloat } from '../model/python-value.js';
import { resolvePlainScalar, toBoolean, toFloat, toInteger } from './pyyaml-scalar.js';
import { jsonNumber } from './json-values.js';
import { asUnsafe, type RawValue, type Setting } from './raw-value.js';
import { problemAt } from './source-text.js';
import { dereference, isMergeKey, positionOfNode, STANDARD, type YamlFile } from './yaml-file.js';

/** One entry of a mapping. */
export interface YamlEntry {
  /** Undefined when the key is no text: PyYAML reads `1:` as a number, and Ansible refuses such hosts and groups. */
  readonly key: RawValue;
  readonly node: Node | null;
  readonly at: SourcePosition;
}

/**
 * The entries of a mapping, merge keys (`<<`) laid under them, the last of duplicate keys winning.
 * @throws InputError for one that is merged into itself
 */
export function entriesOf(file: YamlFile, node: Node): readonly YamlEntry[] {
  return entriesWithin(file, node, []);
}

/** @param within the mappings and lists that are being merged, the outermost first */
function entriesWithin(file: YamlFile, node: Node, within: readonly Node[]): readonly YamlEntry[] {
  if (!isMap(node)) return [];
  const merged = new Map<RawValue, YamlEntry>();
  const own = new Map<RawValue, YamlEntry>();
  for (const pair of node.items as readonly Pair<Node, Node | null>[]) {
    if (isMergeKey(pair.key)) {
      for (const entry of mergeEntries(file, pair.value, [...within, node]))
        if (!merged.has(entry.key)) merged.set(entry.key, entry);
      continue;
    }
    const at = positionOfNode(file, pair.key);
    const key = keyOf(file, pair.key);
    own.set(key, { key, node: pair.value, at });
  }
  return [...new Map([...merged, ...own]).values()];
}

function mergeEntries(file: YamlFile, value: Node | null, within: readonly Node[]): readonly YamlEntry[] {
  const target = dereference(file, value);
  if (target !== null && within.includes(target)) throw problemAt(positionOfNode(file, value), 'alias', 'holds itself');
  if (isMap(target)) return entriesWithin(file, target, within);
  if (isSeq(target)) return target.items.flatMap((item) => mergeEntries(file, item as Node, [...within, target]));
  throw problemAt(positionOfNode(file, value), '<<', 'expected a mapping to merge, or a list of them');
}

function keyOf(file: YamlFile, node: Node): RawValue {
  const target = dereference(file, node);
  return isScalar(target) ? unmarkedScalar(file, target) : null;
}

/** How a key is shown, and stored as JSON: as Python's json module writes it. */
export function keyText(key: RawValue): string {
  const isPlain = key === null || typeof key !== 'object' || key instanceof WholeFloat;
  return isPlain ? String(key) : JSON.stringify(key);
}

/** A node's value. @throws InputError for an alias that holds itself */
export function valueOf(file: YamlFile, node: Node | null): RawValue {
  const target = dereference(file, node);
  if (target === null) return null;
  if (isScalar(target)) return scalarValue(file, target);
  const known = file.read.get(target);
  if (known !== undefined) {
    if (known !== PENDING) return known;
    throw problemAt(positionOfNode(file, node), 'alias', 'holds itself');
  }
  file.read.set(target, PENDING);
  const value = isSeq(target) ? target.items.map((item) => valueOf(file, item as Node | null)) : mapValue(file, target);
  const result = target.tag === '!unsafe' ? asUnsafe(value) : value;
  file.read.set(target, result);
  return result;
}

const PENDING: RawValue = [];

function mapValue(file: YamlFile, node: Node): RawValue {
  const value = new Map(entriesOf(file, node).map((entry) => [keyText(entry.key), valueOf(file, entry.node)]));
  return file.json ? fromJsonHooks(value) : value;
}

/** JSON files spell marked values as objects (ansible/parsing/ajson.py). */
function fromJsonHooks(value: ReadonlyMap<string, RawValue>): RawValue {
  const vault = value.get('__ansible_vault');
  if (typeof vault === 'string') return { kind: 'vault', cipherText: vault };
  const unsafe = value.get('__ansible_unsafe');
  return unsafe === undefined ? value : asUnsafe(unsafe);
}

function scalarValue(file: YamlFile, node: Node): RawValue {
  if (!isScalar(node)) return null;
  const value = unmarkedScalar(file, node);
  if (!file.source.confidential || typeof value === 'boolean' || value === null) return value;
  return typeof value !== 'object' || value instanceof WholeFloat ? { kind: 'confidential', value } : value;
}

function unmarkedScalar(file: YamlFile, node: Scalar): RawValue {
  return taggedScalar(file, node, typeof node.value === 'string' ? node.value : '', node.type === 'PLAIN');
}

function taggedScalar(file: YamlFile, node: Node, text: string, plain: boolean): RawValue {
  switch (node.tag) {
    case undefined:
      if (!plain) return text;
      return file.json ? jsonScalar(text) : resolvePlainScalar(text);
    case '!vault':
    case '!vault-encrypted':
      return { kind: 'vault', cipherText: text };
    case '!unsafe':
      return { kind: 'unsafe', text };
    case '!':
      // PyYAML resolves a scalar with the tag `!` as a plain one, in quotes or not.
      return resolvePlainScalar(text);
    case `${STANDARD}str`:
      return text;
    case `${STANDARD}int`:
      return toInteger(text);
    case `${STANDARD}float`:
      return toFloat(text);
    case `${STANDARD}bool`:
      return toBoolean(text);
    case `${STANDARD}null`:
      return null;
    default:
      return null;
  }
}

function jsonScalar(text: string): RawValue {
  return /^[-\d]/.test(text) ? jsonNumber(text) : (JSON.parse(text) as boolean | null);
}

/** A variable of a mapping as a setting that is read on demand. */
export function settingOf(file: YamlFile, entry: YamlEntry): Setting {
  let value: { readonly value: RawValue } | undefined;
  return {
    value: () => (value ??= { value: valueOf(file, entry.node) }).value,
    at: entry.at,
    positionOf: (path) => locate(file, entry, path),
  };
}

function locate(file: YamlFile, entry: YamlEntry, path: readonly (string | number)[]): SourcePosition {
  let at = entry.at;
  let node = dereference(file, entry.node);
  for (const step of path) {
    if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      at = positionOfNode(file, item);
      node = dereference(file, item);
    } else if (isMap(node)) {
      const found = entriesOf(file, node).find((candidate) => keyText(candidate.key) === String(step));
      if (found === undefined) return at;
      at = found.at;
      node = dereference(file, found.node);
    } else return at;
  }
  return at;
}
