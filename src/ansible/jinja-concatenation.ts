import { splitAt, type Token } from './jinja-tokens.js';

/** What ends an operand of `~`, which binds closer than sums and more loosely than products. */
const BOUNDARY_OPERATORS = new Set([',', ':', '=', '==', '!=', '<', '>', '<=', '>=', '+']);
const BOUNDARY_NAMES = new Set(
  'and or not in is if elif else for set do call filter macro recursive with include import from as'.split(' '),
);

/** Opens an operand, and closes it as the text that Python's `str()` makes of it. */
const OPEN: Token = { kind: 'operator', text: '((' };
const CLOSE: Token = { kind: 'operator', text: ') | tojson | __str)' };

/**
 * An expression or statement whose operands of `~` are texts as Python writes them (`'a' ~ true` is `aTrue`): minijinja writes
 * its own.
 */
export function concatenated(tokens: readonly Token[]): readonly Token[] {
  if (!tokens.some(isConcatenation)) return tokens;
  const result: Token[] = [];
  let run: Token[] = [];
  let depth = 0;
  const end = (): void => {
    const parts = splitAt(run, '~');
    result.push(...(parts.length === 1 ? within(run) : parts.flatMap(asOperand)));
    run = [];
  };
  for (const token of tokens) {
    depth += depthOf(token);
    if (depth === 0 && isBoundary(token)) {
      end();
      result.push(token);
    } else run.push(token);
  }
  end();
  return result;
}

function asOperand(part: readonly Token[], index: number): readonly Token[] {
  const before: readonly Token[] = index === 0 ? [] : [{ kind: 'operator', text: '~' }];
  const [only, ...more] = part.filter(({ kind }) => kind !== 'space');
  if (only === undefined || (more.length === 0 && only.kind === 'string')) return [...before, ...part];
  return [...before, OPEN, ...within(part), CLOSE];
}

/** The same of what is in the brackets of a part. */
function within(part: readonly Token[]): readonly Token[] {
  const result: Token[] = [];
  let inner: Token[] = [];
  let depth = 0;
  for (const token of part) {
    const before = depth;
    depth += depthOf(token);
    if (before > 0 && depth > 0) inner.push(token);
    else {
      result.push(...concatenated(inner), token);
      inner = [];
    }
  }
  return [...result, ...concatenated(inner)];
}

function isConcatenation({ kind, text }: Token): boolean {
  return kind === 'operator' && text === '~';
}

function isBoundary({ kind, text }: Token): boolean {
  return kind === 'operator' ? BOUNDARY_OPERATORS.has(text) : kind === 'name' && BOUNDARY_NAMES.has(text);
}

function depthOf({ kind, text }: Token): number {
  if (kind !== 'operator') return 0;
  return '([{'.includes(text) ? 1 : ')]}'.includes(text) ? -1 : 0;
}
