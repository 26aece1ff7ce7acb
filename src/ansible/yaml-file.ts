import { isAlias, isMap, isScalar, isSeq, LineCounter, visit, type Document, type Node, type Pair } from 'yaml';
import { parseBoundedYaml, YamlLimitError } from '../model/bounded-yaml.js';
import { InputError, type Problem, type SourcePosition } from '../model/errors.js';
import type { RawValue } from './raw-value.js';
import { MAX_BYTES, problemAt, warn, type LoadLog, type SourceText } from './source-text.js';

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
  /** What each alias stands for: the library looks through the whole document for each. */
  readonly aliases: ReadonlyMap<Node, Node>;
  /** Values of anchors that were read already, so that aliases share them. */
  readonly read: Map<Node, RawValue>;
}

/** Prefix of YAML's own tags, which are written `!!`. */
export const STANDARD = 'tag:yaml.org,2002:';

const KNOWN_TAGS = new Set([
  '!',
  '!vault',
  '!vault-encrypted',
  '!unsafe',
  ...['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => STANDARD + name),
]);

/**
 * Parses a YAML (or JSON) file the way Ansible's loader does.
 * @throws InputError with every syntax error of the file
 */
export function parseYaml(source: SourceText, log: LoadLog): YamlFile {
  refuseControls(source);
  try {
    return parseWithin(source, log);
  } catch (error) {
    if (!(error instanceof YamlLimitError)) throw error;
    throw problemAt({ file: source.file, ...error.place }, 'YAML', error.message);
  }
}

/** PyYAML's reader refuses what is neither printable nor white space (yaml/reader.py, NON_PRINTABLE). */
function refuseControls({ file, text }: SourceText): void {
  const index = text.search(/(?![\t\n\r\x85])[\p{Cc}\uFFFE\uFFFF]/u);
  if (index < 0) return;
  const before = text.slice(0, index).split('\n');
  const at = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  const code = text.charCodeAt(index).toString(16).padStart(4, '0');
  throw problemAt(at, 'YAML', `holds the control character U+${code}, which YAML does not allow`);
}

function parseWithin(source: SourceText, log: LoadLog): YamlFile {
  const lines = new LineCounter();
  const document = parseBoundedYaml(source.text, {
    maxCharacters: MAX_BYTES,
    version: '1.1',
    schema: 'failsafe',
    merge: false,
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: 'error',
    ...(source.confidential ? {} : { words: 'own' }),
    lineCounter: lines,
  });
  if (document.errors.length > 0) {
    throw new InputError(
      document.errors.slice(0, 5).map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        const words = source.confidential ? '' : (source.text.split('\n')[line - 1] ?? '').trim().slice(0, 80);
        // At the end of the file there are none.
        const excerpt = words === '' ? '' : `: ${words}`;
        const at = { file: source.file, line, column: col };
        return { severity: 'error', at, subject: 'YAML syntax', message: `${syntaxMessage(error)}${excerpt}` };
      }),
    );
  }
  const root: Node | null = document.contents;
  const aliases = aliasesOf(document);
  const file: YamlFile = { source, root, document, lines, aliases, json: isJson(source.text), log, read: new Map() };
  checkNodes(file);
  return file;
}

/** Each alias with the last node before it that has its anchor. */
function aliasesOf(document: Document.Parsed): ReadonlyMap<Node, Node> {
  const anchors = new Map<string, Node>();
  const aliases = new Map<Node, Node>();
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      const target = anchors.get(node.source);
      if (target !== undefined) aliases.set(node, target);
    },
  });
  return aliases;
}

/**
 * Finds now what would otherwise come up only when a value is read: keys that are no text, aliases without an anchor,
 * unknown tags. Duplicate keys are a warning, as in Ansible.
 */
function checkNodes(file: YamlFile): void {
  const problems: Problem[] = [];
  const wrong = (node: Node | null, subject: string, message: string): void => {
    problems.push({ severity: 'error', at: positionOfNode(file, node), subject, message });
  };
  const checkTag = (node: Node): void => {
    if (isAlias(node) || node.tag === undefined || KNOWN_TAGS.has(node.tag)) return;
    wrong(node, node.tag.replace(STANDARD, '!!'), 'unknown YAML tag; Ansible knows !vault and !unsafe');
  };
  visit(file.document, {
    Map(_, map) {
      checkTag(map);
      const seen = new Map<unknown, Node>();
      for (const { key } of map.items as readonly Pair<Node, Node | null>[]) {
        if (isMap(key)) wrong(key, 'key', 'a key cannot be a mapping; if it is a template, quote it: "{{ … }}"');
        else if (isSeq(key)) wrong(key, 'key', 'a key cannot be a list; expected a text');
        if (!isScalar(key) || isMergeKey(key)) continue;
        const before = seen.get(key.value);
        if (before !== undefined) {
          const message = `is set twice (also on line ${positionOfNode(file, before).line}): the last one is used`;
          warn(file.log, positionOfNode(file, key), String(key.value), message);
        }
        seen.set(key.value, key);
      }
    },
    Alias(_, alias) {
      if (!file.aliases.has(alias)) {
        wrong(alias, `*${alias.source}`, 'there is no anchor of that name above');
      }
    },
    Value(_, node) {
      checkTag(node);
    },
  });
  if (problems.length > 0) throw new InputError(problems);
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

/** Follows an alias to its node. */
export function dereference(file: YamlFile, node: Node | null | undefined): Node | null {
  return isAlias(node) ? (file.aliases.get(node) ?? null) : (node ?? null);
}

/** Whether a key is `<<`, by which a mapping takes over the entries of another. */
export function isMergeKey(key: Node): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}
