// Rewrites Jinja2 source so that a variable is looked up when it is evaluated, and not before: `a.b['c']` becomes
// `__get(0, 'a', 'b', 'c').v`, a call back into this program. minijinja takes its whole context by value, which would mean
// rendering every variable of every host for each template; and it compares undefined variables without an error.

import type { Token } from './jinja-tokens.js';
import { parsePythonLiteral } from './python-literal.js';

const KEYWORDS = new Set(
  (
    'and or not in is if else elif endif for endfor recursive set endset macro endmacro block endblock call endcall ' +
    'filter endfilter with endwith without context import from as include ignore missing extends autoescape ' +
    'endautoescape do true false none True False None loop self super caller varargs kwargs continue break'
  ).split(' '),
);

/** Filters that write a text of a value: they are handed it as JSON, in which minijinja tells floats from integers. */
export const WRITING_FILTERS: ReadonlySet<string> = new Set([
  'string',
  'tojson',
  'to_json',
  'to_nice_json',
  'to_yaml',
  'to_nice_yaml',
]);

/** Stands for hostvars as the container of the filter `extract`. */
export const HOSTVARS = '__hostvars__';

/** The path of an expression that is a variable and nothing else, such as `a.b['c'][0]`; else undefined. */
export function constantPath(
  all: readonly Token[],
  locals: ReadonlySet<string>,
): readonly (string | number)[] | undefined {
  const tokens = all.slice(significant(all, 0, 1).index);
  if (tokens[0]?.kind !== 'name' || !isVariable(tokens, 0, locals)) return undefined;
  const { path, end } = readChain(tokens, 0, { locals, site: 0, numbers: 'plain' });
  if (significant(tokens, end, 1).index < tokens.length) return undefined;
  const steps = path.map((step) => parsePythonLiteral(step)?.value);
  return steps.every((step) => typeof step === 'string' || typeof step === 'number') ? steps : undefined;
}

/** What is rewritten, and for whom. */
interface Rewriting {
  readonly locals: ReadonlySet<string>;
  /** Its number: variables are looked up on its behalf. */
  readonly site: number;
  /** `exact`: a variable that has a literal (exact-values.ts) is read from that. */
  readonly numbers: 'plain' | 'exact';
}

/** An expression or statement that looks its variables up. */
export function rewrite(tokens: readonly Token[], rewriting: Rewriting): string {
  const { locals, site, numbers } = rewriting;
  let text = '';
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    if (token.kind === 'name' && isVariable(tokens, index, locals)) {
      const chain = readChain(tokens, index, rewriting);
      if (isExtracted(tokens, index)) {
        text += `'${HOSTVARS}'`;
        continue;
      }
      const call = `${isGuarded(tokens, chain.end) ? '__opt' : '__get'}(${site}, ${chain.path.join(', ')})`;
      text += numbers === 'plain' ? `${call}.v` : `(__exact[${call}.k] | default(${call}.v))`;
      index = chain.end - 1;
    } else if (WRITING_FILTERS.has(token.text) && significant(tokens, index - 1, -1).text === '|')
      text += `tojson | __${token.text}`;
    else text += token.kind === 'string' ? plainString(token.text) : token.text;
  }
  return text;
}

/** A string of Jinja2, which takes Python's escapes (`'\\d'` is a backslash and a d), as minijinja reads it. */
function plainString(source: string): string {
  const literal = parsePythonLiteral(source);
  return literal === undefined ? source : JSON.stringify(literal.value);
}

/** Whether `hostvars` is handed to the filter `extract`: all variables of all hosts at each call would be quadratic. */
function isExtracted(tokens: readonly Token[], index: number): boolean {
  if (tokens[index]?.text !== 'hostvars') return false;
  const before = significant(tokens, index - 1, -1);
  const name = significant(tokens, before.index - 1, -1).text;
  return (before.text === ',' && /^["']extract["']$/.test(name)) || (before.text === '(' && name === 'extract');
}

/** The token at or after an index that is no space, and where it is. */
function significant(
  tokens: readonly Token[],
  from: number,
  step: 1 | -1,
): { readonly text: string; readonly index: number } {
  let index = from;
  while (tokens[index]?.kind === 'space') index += step;
  return { text: tokens[index]?.text ?? '', index };
}

/** Whether the name at an index is looked up, and is no attribute, filter, test, keyword argument, function or local. */
function isVariable(tokens: readonly Token[], index: number, locals: ReadonlySet<string>): boolean {
  const name = tokens[index]?.text ?? '';
  if (KEYWORDS.has(name) || locals.has(name)) return false;
  const before = significant(tokens, index - 1, -1);
  if (['.', '|', 'is', 'filter'].includes(before.text)) return false;
  if (before.text === 'not' && significant(tokens, before.index - 1, -1).text === 'is') return false;
  const after = significant(tokens, index + 1, 1).text;
  return after !== '(' && after !== '=';
}

/** Follows `.name`, `.0` and `[…]` after a variable; stops before a method call and before a slice. */
function readChain(
  tokens: readonly Token[],
  start: number,
  rewriting: Rewriting,
): { readonly path: readonly string[]; readonly end: number } {
  const path = [`'${tokens[start]?.text ?? ''}'`];
  let end = start + 1;
  for (;;) {
    const next = tokens[end];
    const after = tokens[end + 1];
    if (next?.text === '.' && after?.kind === 'name' && significant(tokens, end + 2, 1).text !== '(') {
      path.push(`'${after.text}'`);
      end += 2;
    } else if (next?.text === '.' && after?.kind === 'number') {
      path.push(after.text);
      end += 2;
    } else if (next?.text === '[') {
      const close = closingBracket(tokens, end);
      const inner = tokens.slice(end + 1, close);
      if (close < 0 || isSlice(inner)) return { path, end };
      path.push(rewrite(inner, rewriting).trim());
      end = close + 1;
    } else return { path, end };
  }
}

function closingBracket(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    if (tokens[index]?.text === '[') depth += 1;
    if (tokens[index]?.text === ']') depth -= 1;
    if (depth === 0) return index;
  }
  return -1;
}

function isSlice(inner: readonly Token[]): boolean {
  let depth = 0;
  return inner.some((token) => {
    if (['(', '[', '{'].includes(token.text)) depth += 1;
    if ([')', ']', '}'].includes(token.text)) depth -= 1;
    return token.text === ':' && depth === 0;
  });
}

/** Whether what follows allows the variable to be missing: `is defined`, `is not defined`, `| default(…)`. */
function isGuarded(tokens: readonly Token[], from: number): boolean {
  const first = significant(tokens, from, 1);
  const second = significant(tokens, first.index + 1, 1);
  const third = significant(tokens, second.index + 1, 1);
  if (first.text === '|') return ['default', 'd'].includes(second.text);
  return first.text === 'is' && /^(?:un)?defined$/.test(second.text === 'not' ? third.text : second.text);
}
