// Jinja2 source in blocks, and their insides in tokens.

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

/** Blocks of a template; comments and raw sections come first, so that nothing in them is taken for a block. */
const BLOCK = new RegExp(
  [
    String.raw`\{#[^]*?#\}`,
    String.raw`\{%[-+]?\s*raw\s*[-+]?%\}[^]*?\{%[-+]?\s*endraw\s*[-+]?%\}`,
    String.raw`\{\{(?<outOpen>[-+]?)(?<out>(?:${STRING}|${MAPPING}|(?!\}\}|-\}\})[^])*)(?<outClose>-?)\}\}`,
    String.raw`\{%(?<open>[-+]?)(?<statement>(?:${STRING}|(?![-+]?%\})[^])*)(?<close>[-+]?)%\}`,
  ].join('|'),
  'g',
);

/** Whether a text needs Jinja2 at all. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%') || text.includes('{#');
}

/** The expression of a text that is one `{{ … }}` and nothing else: such a value keeps its type. */
export function soleExpression(text: string): string | undefined {
  const [match] = text.matchAll(BLOCK);
  return match?.groups?.['out'] !== undefined && match[0] === text.trim() ? match.groups['out'].trim() : undefined;
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
  return source.replace(BLOCK, (whole, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    const { out, outOpen = '', outClose = '', statement, open = '', close = '' } = groups;
    if (out !== undefined) return replace({ whole, out, open: outOpen, close: outClose });
    return statement === undefined ? whole : replace({ whole, statement, open, close });
  });
}

/** The statements of a template, without their braces. */
export function statementsOf(source: string): readonly string[] {
  return [...source.matchAll(BLOCK)].flatMap(({ groups }) => groups?.['statement'] ?? []);
}

/** An expression or statement in pieces. */
export function tokenize(source: string): readonly Token[] {
  return [...source.matchAll(new RegExp(TOKEN.source, 'sug'))].map((match) => {
    const groups: Readonly<Record<string, string | undefined>> = match.groups ?? {};
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) ?? 'operator';
    return { kind: kind as Token['kind'], text: match[0] };
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

/** Where the bracket that opens at an index is closed; -1 where it is not. */
export function closingBracket(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    const text = tokens[index]?.text ?? '';
    if (text === '[' || text === '(') depth += 1;
    if (text === ']' || text === ')') depth -= 1;
    if (depth === 0) return index;
  }
  return -1;
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
