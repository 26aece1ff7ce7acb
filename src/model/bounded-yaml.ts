import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type DocumentOptions,
  type Node,
  type ParseOptions,
  type SchemaOptions,
  type YAMLParseError,
} from 'yaml';
import { tooDeepAt } from './nesting.js';

/** What no manifest, playbook or etcd configuration comes near: kubeadm's files have 4 KB. */
const MAX_CHARACTERS = 1024 * 1024;

/** What no file of variables comes near: an alias of aliases can stand for billions of values in a few lines. */
const MAX_VALUES = 1_000_000;

/** A text that is larger, deeper or stands for more values than is read. */
export class YamlLimitError extends Error {
  override readonly name = 'YamlLimitError';
  /** Where; both count from 1. */
  readonly place: { readonly line: number; readonly column: number };

  constructor(message: string, place: { readonly line: number; readonly column: number }) {
    super(message);
    this.place = place;
  }
}

/** Options of the library, and what is read at most. */
export interface YamlOptions extends Omit<ParseOptions, 'prettyErrors'>, DocumentOptions, SchemaOptions {
  /** 1 MiB when it is absent. */
  readonly maxCharacters?: number;
  /** `own`: a person's own file, whose words an error may show. Of all others an error says only where it is: they may hold keys. */
  readonly words?: 'own';
}

/**
 * Parses YAML that others wrote: hosts, files, variables. Everything goes through here (a lint rule): the library itself has
 * no bounds, and 100 kB of brackets end the process.
 * @returns the document, with its syntax errors in `errors`
 * @throws YamlLimitError
 */
export function parseBoundedYaml(text: string, options: YamlOptions = {}): Document.Parsed {
  const { maxCharacters = MAX_CHARACTERS, words, ...rest } = options;
  if (text.length > maxCharacters)
    throw new YamlLimitError(`holds more than ${maxCharacters.toLocaleString('en-US')} characters`, {
      line: 1,
      column: 1,
    });
  const deep = tooDeepAt(text);
  if (deep !== undefined) throw new YamlLimitError('is nested too deeply', deep);
  const lineCounter = rest.lineCounter ?? new LineCounter();
  // Warnings belong to the caller, not to the screen.
  // The library's own way to make errors readable is to show the line.
  const document = parseDocument(text, { logLevel: 'error', ...rest, lineCounter, prettyErrors: false });
  if (words !== 'own') for (const error of document.errors) error.message = withoutWords(error, lineCounter);
  const large = tooLargeAt(document);
  if (large === undefined) return document;
  const { line, col } = lineCounter.linePos(large.range?.[0] ?? 0);
  const message = `holds more than ${MAX_VALUES.toLocaleString('en-US')} values, with what its aliases stand for`;
  throw new YamlLimitError(message, { line, column: col });
}

/** The library's messages show tokens: `Not a YAML token: …`. */
function withoutWords({ code, pos }: YAMLParseError, lineCounter: LineCounter): string {
  const { line, col } = lineCounter.linePos(pos[0]);
  return `line ${line}, column ${col} is no YAML (${code})`;
}

/**
 * What a document says, as plain data.
 * @throws Error without a word of the text: an alias that can't be followed may be a password that begins with `*`
 */
export function plainData(document: Document.Parsed): unknown {
  try {
    return document.toJS() as unknown;
  } catch (error) {
    if (error instanceof ReferenceError) throw new Error('it has an alias (`*`) that leads to nothing before it');
    throw error;
  }
}

/** The node that holds too many values, every alias in its place; none is followed for it. */
function tooLargeAt(document: Document.Parsed): Node | undefined {
  const anchors = new Map<string, number>();
  let large: Node | undefined;
  const count = (node: unknown): number => {
    if (!isNode(node)) return 1;
    // One that holds itself has no size yet; it is refused where it is read.
    if (isAlias(node)) return anchors.get(node.source) ?? 1;
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined) anchors.set(anchor, 1);
    let size = 1;
    for (const part of partsOf(node)) size += count(part);
    if (size > MAX_VALUES) large ??= node;
    if (anchor !== undefined) anchors.set(anchor, size);
    return size;
  };
  count(document.contents);
  return large;
}

function partsOf(node: Node): readonly unknown[] {
  if (isScalar(node)) return [];
  if (isMap(node)) return node.items.flatMap(({ key, value }) => [key, value]);
  return isSeq(node) ? node.items : [];
}
