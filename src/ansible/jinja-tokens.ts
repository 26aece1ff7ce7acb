// Reads Jinja2 source: its blocks, the pieces of what is in them, and the names that it binds itself.

/** A piece of an expression. */
export interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'operator' | 'space';
  readonly text: string;
}

const TOKEN =
  /(?<space>\s+)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<number>\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|(?<operator>==|!=|<=|>=|\/\/|\*\*|[^])/suy;

/** Blocks of a template; comments and raw sections come first, so that nothing in them is taken for a block. */
const BLOCK =
  /\{#[^]*?#\}|\{%[-+]?\s*raw\s*[-+]?%\}[^]*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{\{(?<outOpen>[-+]?)(?<out>(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?!\}\}|-\}\})[^])*)(?<outClose>-?)\}\}|\{%(?<open>[-+]?)(?<statement>(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?![-+]?%\})[^])*)(?<close>[-+]?)%\}/g;

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

/** An expression or statement in pieces. */
export function tokenize(source: string): readonly Token[] {
  return [...source.matchAll(new RegExp(TOKEN.source, 'sug'))].map((match) => {
    const groups: Readonly<Record<string, string | undefined>> = match.groups ?? {};
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) ?? 'operator';
    return { kind: kind as Token['kind'], text: match[0] };
  });
}

/** Names that the template binds itself: loop variables, `set`, macros and their parameters, `with`, imports. */
export function localNames(source: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const match of source.matchAll(BLOCK)) {
    const tokens = tokenize(match.groups?.['statement'] ?? '').filter((token) => token.kind !== 'space');
    for (const name of boundNames(tokens)) names.add(name);
  }
  return names;
}

function boundNames(tokens: readonly Token[]): readonly string[] {
  const names = (part: readonly Token[]): string[] =>
    part.filter((token) => token.kind === 'name').map((token) => token.text);
  const until = (stop: string): readonly Token[] => {
    const end = tokens.findIndex((token) => token.text === stop);
    return tokens.slice(1, end < 0 ? undefined : end);
  };
  switch (tokens[0]?.text) {
    case 'for':
      return names(until('in'));
    case 'set':
      return names(until('='));
    case 'macro':
      return names(tokens.slice(1));
    case 'call':
      return tokens[1]?.text === '(' ? names(until(')')) : [];
    case 'with':
      return tokens
        .filter((token, index) => token.kind === 'name' && tokens[index + 1]?.text === '=')
        .map((token) => token.text);
    case 'import':
    case 'from':
      return names(tokens.slice(tokens.findIndex((token) => token.text === 'import' || token.text === 'as')));
    default:
      return [];
  }
}
