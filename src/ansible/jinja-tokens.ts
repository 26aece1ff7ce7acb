// Jinja2 source in blocks, and their insides in tokens.

import { TemplateError } from './template-error.js';

/** A piece of an expression. */
export interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'operator' | 'space';
  readonly text: string;
}

const TOKEN =
  /(?<space>\s+)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<number>\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|(?<operator>==|!=|<=|>=|\/\/|\*\*|[^])/suy;

const STRING = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`;

/** A mapping that is written in a template, and those in it: `{{ {'a': {'b': 1}} }}` ends at its last two braces. */
const MAPPING = mappingPattern(6);

function mappingPattern(depth: number): string {
  const within = depth === 0 ? '' : `|${mappingPattern(depth - 1)}`;
  return String.raw`\{(?!%)(?:${STRING}${within}|[^{}"'])*\}`;
}

const COMMENT = String.raw`\{#[^]*?#\}`;
const RAW = String.raw`\{%[-+]?\s*raw\s*[-+]?%\}[^]*?\{%[-+]?\s*endraw\s*[-+]?%\}`;
const OUTPUT = String.raw`\{\{(?<outOpen>[-+]?)(?<out>(?:${STRING}|${MAPPING}|(?!\}\}|-\}\})[^])*)(?<outClose>-?)\}\}`;
const STATEMENT = String.raw`\{%(?<open>[-+]?)(?<statement>(?:${STRING}|(?![-+]?%\})[^])*)(?<close>[-+]?)%\}`;

/** Blocks of a template; comments and raw sections come first, so that nothing in them is taken for a block. */
const BLOCK = new RegExp([COMMENT, RAW, OUTPUT, STATEMENT].join('|'), 'y');
/** Where no raw section ends any more. */
const BLOCK_AFTER_RAW = new RegExp([COMMENT, OUTPUT, STATEMENT].join('|'), 'y');

/** How the three kinds of blocks begin → how they end. */
const ENDS: ReadonlyMap<string, string> = new Map([
  ['{{', '}}'],
  ['{%', '%}'],
  ['{#', '#}'],
]);

/** The blocks of a template. A beginning without an end is looked for no further: each would be sought to the end of the text. */
function* blockMatches(source: string): Generator<RegExpExecArray> {
  const opener = /\{[{%#]/g;
  const endless = new Set<string>();
  const lastRaw = source.lastIndexOf('endraw');
  for (let found = opener.exec(source); found !== null; found = opener.exec(source)) {
    const [begin] = found;
    if (endless.has(begin)) continue;
    const block = found.index < lastRaw ? BLOCK : BLOCK_AFTER_RAW;
    block.lastIndex = found.index;
    const hasEnd = source.includes(ENDS.get(begin) ?? '', found.index + begin.length);
    const match = hasEnd ? block.exec(source) : null;
    if (!hasEnd) endless.add(begin);
    opener.lastIndex = match === null ? found.index + 1 : found.index + match[0].length;
    if (match !== null) yield match;
  }
}

/** Whether a text needs Jinja2 at all. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%') || text.includes('{#');
}

/** The expression of a text that is one `{{ … }}` and nothing else: such a value keeps its type. */
export function soleExpression(text: string): string | undefined {
  const [first] = blockMatches(text);
  const out = first?.groups?.['out'];
  return out !== undefined && first?.[0] === text.trim() ? out.trim() : undefined;
}

/** A block of a template: an output or a statement, and what its braces say about the white space around it. */
interface Block {
  readonly whole: string;
  readonly out?: string | undefined;
  readonly statement?: string | undefined;
  readonly open: string;
  readonly close: string;
}

/** Replaces every output and statement of a template; text, comments and raw sections stay. */
export function blocksOf(source: string, replace: (block: Block) => string): string {
  let text = '';
  let end = 0;
  for (const match of blockMatches(source)) {
    const [whole] = match;
    const { out, outOpen = '', outClose = '', statement, open = '', close = '' } = match.groups ?? {};
    text += source.slice(end, match.index);
    if (out !== undefined) text += replace({ whole, out, open: outOpen, close: outClose });
    else text += statement === undefined ? whole : replace({ whole, statement, open, close });
    end = match.index + whole.length;
  }
  return text + source.slice(end);
}

/** The statements of a template, without their braces. */
export function statementsOf(source: string): readonly string[] {
  return [...blockMatches(source)].flatMap(({ groups }) => groups?.['statement'] ?? []);
}

/** Brackets in brackets: minijinja takes no more than about as many. */
const MAX_DEPTH = 100;

/** An expression or statement in pieces. @throws TemplateError for one that is nested too deeply */
export function tokenize(source: string): readonly Token[] {
  let depth = 0;
  return [...source.matchAll(new RegExp(TOKEN.source, 'sug'))].map((match) => {
    const groups: Readonly<Record<string, string | undefined>> = match.groups ?? {};
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) ?? 'operator';
    const [text] = match;
    if (/^[([{]$/.test(text)) depth += 1;
    if (/^[)\]}]$/.test(text)) depth -= 1;
    if (depth > MAX_DEPTH) throw new TemplateError('wrong', `has more than ${MAX_DEPTH} brackets within each other`);
    return { kind: kind as Token['kind'], text };
  });
}

/**
 * A variable's text whose strings mean their backslashes: Ansible doubles them in what stands between `{{` and `}}`
 * (`_escape_backslashes`), so that `regex_replace('(a)', '\\1')` is written there as it is meant. In template files and
 * conditions they are Python's escapes.
 */
export function withOwnBackslashes(source: string): string {
  if (!source.includes('\\')) return source;
  return blocksOf(source, ({ whole, out, open, close }) => {
    if (out === undefined) return whole;
    const inside = tokenize(out).map(({ kind, text }) => (kind === 'string' ? doubled(text) : text));
    return `{{${open}${inside.join('')}${close}}}`;
  });
}

/** But for an escaped quote, which would end the string. */
function doubled(string: string): string {
  return string.replace(/\\([^])/g, (pair, escaped: string) =>
    /["']/.test(escaped) ? pair : pair.replaceAll('\\', '\\\\'),
  );
}

/** The token at or after an index that is no space, and where it is. */
export function significant(
  tokens: readonly Token[],
  from: number,
  step: 1 | -1,
): { readonly text: string; readonly index: number } {
  let index = from;
  while (tokens[index]?.kind === 'space') index += step;
  return { text: tokens[index]?.text ?? '', index };
}

/** Of each list of tokens that was asked for: where each bracket is closed. Found once, so that many brackets take no longer each. */
const CLOSED = new WeakMap<readonly Token[], ReadonlyMap<number, number>>();

/** Where the bracket that opens at an index is closed; -1 where it is not. */
export function closingBracket(tokens: readonly Token[], open: number): number {
  const known = CLOSED.get(tokens) ?? closedBrackets(tokens);
  CLOSED.set(tokens, known);
  return known.get(open) ?? -1;
}

function closedBrackets(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const closed = new Map<number, number>();
  const open: number[] = [];
  for (const [index, { text }] of tokens.entries()) {
    if (text === '[' || text === '(') open.push(index);
    const last = text === ']' || text === ')' ? open.pop() : undefined;
    if (last !== undefined) closed.set(last, index);
  }
  return closed;
}

/** The parts between an operator that stands outside of all brackets. */
export function splitAt(tokens: readonly Token[], operator: string): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'operator' && '([{'.includes(token.text)) depth += 1;
    if (token.kind === 'operator' && ')]}'.includes(token.text)) depth -= 1;
    if (depth === 0 && token.kind === 'operator' && token.text === operator) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}
