import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  LineCounter,
  type Document,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml';
import { InputError, type SourcePosition } from '../model/errors.js';
import { resolvePlainScalar, toBoolean, toFloat, toInteger } from './pyyaml-scalar.js';
import { isMapping, type RawValue, type Setting } from './raw-value.js';
import { problemAt, warn, type LoadLog, type SourceText } from './source-text.js';

/** A parsed YAML or JSON file, from which values are read on demand. */
export interface YamlFile {
  readonly source: SourceText;
  /** The top node; null for an empty file. */
  readonly root: Node | null;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** Plain scalars follow JSON, not YAML: Ansible tries JSON first (parsing/utils/yaml.py). */
  readonly json: boolean;
  readonly log: LoadLog;
  /** Values of anchors that were read already, so that aliases share them. */
  readonly read: Map<Node, RawValue>;
}

/** One entry of a mapping. */
export interface YamlEntry {
  /** Undefined when the key is no text: PyYAML reads `1:` as a number, and Ansible refuses such hosts and groups. */
  readonly key: RawValue;
  readonly node: Node | null;
  readonly at: SourcePosition;
}

const STANDARD = 'tag:yaml.org,2002:';

/**
 * Parses a YAML (or JSON) file the way Ansible's loader does.
 * @throws InputError with every syntax error of the file
 */
export function parseYaml(source: SourceText, log: LoadLog): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(source.text, {
    version: '1.1',
    schema: 'failsafe',
    merge: false,
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: 'silent',
    prettyErrors: false,
    lineCounter: lines,
  });
  if (document.errors.length > 0) {
    throw new InputError(
      document.errors.slice(0, 5).map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        const excerpt = source.confidential ? '' : `: ${(source.text.split('\n')[line - 1] ?? '').trim().slice(0, 80)}`;
        const at = { file: source.file, line, column: col };
        return { severity: 'error', at, subject: 'YAML syntax', message: `${syntaxMessage(error)}${excerpt}` };
      }),
    );
  }
  return { source, root: document.contents, document, lines, json: isJson(source.text), log, read: new Map() };
}

function syntaxMessage(error: { readonly code: string; readonly message: string }): string {
  if (error.code === 'MULTIPLE_DOCS') return 'the file holds more than one document (---), expected one';
  return error.message;
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Where a node starts. */
export function positionOfNode(file: YamlFile, node: Node | null | undefined): SourcePosition {
  const { line, col } = file.lines.linePos(node?.range?.[0] ?? 0);
  return { file: file.source.file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Follows an alias to its node. @throws InputError when there is no such anchor */
export function dereference(file: YamlFile, node: Node | null | undefined): Node | null {
  if (!isAlias(node)) return node ?? null;
  const target = node.resolve(file.document);
  if (target === undefined) {
    throw problemAt(positionOfNode(file, node), `*${node.source}`, 'there is no anchor of that name above');
  }
  return target;
}

/**
 * The entries of a mapping, merge keys (`<<`) laid under them, the last of duplicate keys winning with a warning as
 * in Ansible.
 * @throws InputError when a key is a list or mapping, best known from an unquoted `{{ … }}`
 */
export function entriesOf(file: YamlFile, node: Node): readonly YamlEntry[] {
  if (!isMap(node)) return [];
  const merged = new Map<RawValue, YamlEntry>();
  const own = new Map<RawValue, YamlEntry>();
  for (const pair of node.items as readonly Pair<Node, Node | null>[]) {
    if (isMergeKey(pair.key)) {
      for (const entry of mergeEntries(file, pair.value)) if (!merged.has(entry.key)) merged.set(entry.key, entry);
      continue;
    }
    const at = positionOfNode(file, pair.key);
    const key = keyOf(file, pair.key, at);
    const before = own.get(key);
    if (before !== undefined) {
      warn(file.log, at, keyText(key), `is set twice (also on line ${before.at.line}): the last one is used`);
    }
    own.set(key, { key, node: pair.value, at });
  }
  return [...new Map([...merged, ...own]).values()];
}

function isMergeKey(key: Node): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function mergeEntries(file: YamlFile, value: Node | null): readonly YamlEntry[] {
  const target = dereference(file, value);
  if (isMap(target)) return entriesOf(file, target);
  if (isSeq(target)) return target.items.flatMap((item) => mergeEntries(file, item as Node));
  throw problemAt(positionOfNode(file, value), '<<', 'expected a mapping to merge, or a list of them');
}

function keyOf(file: YamlFile, node: Node, at: SourcePosition): RawValue {
  const target = dereference(file, node);
  if (isScalar(target)) return unmarkedScalar(file, target);
  const advice = isMap(target) ? 'if it is a template, quote it: "{{ … }}"' : 'expected a text';
  throw problemAt(at, 'key', `a key cannot be a list or a mapping; ${advice}`);
}

/** How a key is shown, and stored as JSON: as Python's json module writes it. */
export function keyText(key: RawValue): string {
  return key === null || typeof key !== 'object' ? String(key) : JSON.stringify(key);
}

/** A node's value. @throws InputError for an unknown tag, a wrong anchor or an alias that holds itself */
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

function asUnsafe(value: RawValue): RawValue {
  if (typeof value === 'string') return { kind: 'unsafe', text: value };
  if (Array.isArray(value)) return (value as readonly RawValue[]).map(asUnsafe);
  return isMapping(value) ? new Map([...value].map(([key, item]) => [key, asUnsafe(item)])) : value;
}

function scalarValue(file: YamlFile, node: Node): RawValue {
  if (!isScalar(node)) return null;
  const value = unmarkedScalar(file, node);
  const confidential = file.source.confidential && (typeof value === 'string' || typeof value === 'number');
  return confidential ? { kind: 'confidential', value } : value;
}

function unmarkedScalar(file: YamlFile, node: Scalar): RawValue {
  return taggedScalar(file, node, typeof node.value === 'string' ? node.value : '', node.type === 'PLAIN');
}

function taggedScalar(file: YamlFile, node: Node, text: string, plain: boolean): RawValue {
  switch (node.tag) {
    case undefined:
      if (file.json) return plain ? (JSON.parse(text) as number | boolean | null) : text;
      return plain ? resolvePlainScalar(text) : text;
    case '!vault':
    case '!vault-encrypted':
      return { kind: 'vault', cipherText: text };
    case '!unsafe':
      return { kind: 'unsafe', text };
    case '!':
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
      throw problemAt(
        positionOfNode(file, node),
        node.tag.replace(STANDARD, '!!'),
        'unknown YAML tag; Ansible knows !vault and !unsafe',
      );
  }
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
