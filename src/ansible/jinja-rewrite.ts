// Rewrites Jinja2 source so that a variable is looked up when it is evaluated, and not before: `a.b['c']` becomes
// `__get(0, false, 'a', 'b', 'c').v`, a call back into this program. minijinja takes its whole context by value, which would mean
// rendering every variable of every host for each template; and it compares undefined variables without an error.

import { concatenated } from './jinja-concatenation.js';
import { isGuarded, isVariable, KEYWORDS, type Names } from './jinja-names.js';
import { refuseNamedInMap } from './jinja-refusals.js';
import { closingBracket, significant, type Token } from './jinja-tokens.js';
import { askedAt, endOfEmptyDefault, orEmpty, viewAt } from './jinja-views.js';
import { parsePythonLiteral } from './python-literal.js';

/** Filters that write a text of a value: they are handed it as JSON, in which minijinja tells floats from integers. */
export const WRITING_FILTERS: ReadonlySet<string> = new Set([
  'string',
  'join',
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
  if (tokens[0]?.kind !== 'name' || !isVariable(tokens, 0, { locals, isStatement: false })) return undefined;
  const { path, end } = readChain(tokens, 0, { locals, isStatement: false, site: 0, numbers: 'plain' });
  if (significant(tokens, end, 1).index < tokens.length) return undefined;
  const steps = path.map((step) => parsePythonLiteral(step)?.value);
  return steps.every((step) => typeof step === 'string' || typeof step === 'number') ? steps : undefined;
}

/** What is rewritten, and for whom. */
interface Rewriting extends Names {
  /** Its number: variables are looked up on its behalf. */
  readonly site: number;
  /** `exact`: a variable that has a literal (exact-values.ts) is read from that. */
  readonly numbers: 'plain' | 'exact';
}

/** An expression or statement that looks its variables up. */
export function rewrite(source: readonly Token[], rewriting: Rewriting): string {
  const tokens = concatenated(source);
  let text = '';
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    refuseNamedInMap(tokens, index);
    const operand = operandAt(tokens, index, rewriting);
    if (operand !== undefined) {
      text += operand.text;
      index = operand.end - 1;
    } else if (WRITING_FILTERS.has(token.text) && significant(tokens, index - 1, -1).text === '|')
      text += `tojson | __${token.text}`;
    else text += plain(token);
  }
  return text;
}

/** A part of an expression, rewritten, and where it ends. */
interface Operand {
  readonly text: string;
  readonly end: number;
}

/** A variable or a name of the template's own at an index, with what is asked of it there. */
function operandAt(tokens: readonly Token[], index: number, rewriting: Rewriting): Operand | undefined {
  const token = tokens[index];
  if (token?.text === '(') return defaultedAt(tokens, index, rewriting) ?? bracketedAt(tokens, index, rewriting);
  if (token?.kind !== 'name') return undefined;
  if (isVariable(tokens, index, rewriting)) {
    if (isExtracted(tokens, index)) return { text: `'${HOSTVARS}'`, end: index + 1 };
    return withMember(tokens, variableAt(tokens, index, rewriting), rewriting);
  }
  if (!rewriting.locals.has(token.text) || significant(tokens, index - 1, -1).text === '.') return undefined;
  let end = index + 1;
  while (tokens[end]?.text === '.' && tokens[end + 1]?.kind === 'name' && tokens[end + 2]?.text !== '(') end += 2;
  const text = tokens.slice(index, end).map(plain).join('');
  const asked = withMember(tokens, { text, end }, rewriting);
  return asked.end === end ? undefined : asked;
}

function variableAt(tokens: readonly Token[], index: number, rewriting: Rewriting): Operand {
  const { path, end } = readChain(tokens, index, rewriting);
  const asked = askedAt(tokens, end, isIterable(tokens, index));
  const { look, end: after } = asked ?? { look: isGuarded(tokens, end) ? '__opt' : '__get', end };
  return { text: lookUp(look, path, rewriting), end: after };
}

/** `(name | default({})).items()`, and the like; undefined for all else in brackets. */
function defaultedAt(tokens: readonly Token[], open: number, rewriting: Rewriting): Operand | undefined {
  const start = significant(tokens, open + 1, 1).index;
  if (tokens[start]?.kind !== 'name' || !isVariable(tokens, start, rewriting)) return undefined;
  const chain = readChain(tokens, start, rewriting);
  const end = endOfEmptyDefault(tokens, chain.end);
  const close = end === undefined ? undefined : significant(tokens, end, 1);
  if (close?.text !== ')') return undefined;
  const asked = orEmpty(viewAt(tokens, close.index + 1, isIterable(tokens, open)));
  return asked && { text: lookUp(asked.look, chain.path, rewriting), end: asked.end };
}

function lookUp(name: string, path: readonly string[], { site, numbers }: Rewriting): string {
  const isComputed = !path.every((step) => WRITTEN.test(step));
  const call = `${name}(${site}, ${String(isComputed)}, ${path.join(', ')})`;
  return numbers === 'plain' ? `${call}.v` : `(__exact[${call}.k] if ${call}.k in __exact else ${call}.v)`;
}

/** A step of a path that stands in the template: any other one is a value, and may be secret. */
const WRITTEN = /^(?:'[^']*'|"(?:[^"\\]|\\.)*"|\d+)$/;

/** `(…).get(key, default)`; undefined for brackets of which nothing is asked, and for those of a call. */
function bracketedAt(tokens: readonly Token[], open: number, rewriting: Rewriting): Operand | undefined {
  const close = closingBracket(tokens, open);
  if (close < 0 || !isMemberAt(tokens, close + 1)) return undefined;
  const before = significant(tokens, open - 1, -1);
  const isCall = tokens[before.index]?.kind === 'name' && !KEYWORDS.has(before.text) && before.index > 0;
  if (isCall || /^[)\]]$/.test(before.text)) return undefined;
  const inner = rewrite(tokens.slice(open + 1, close), { ...rewriting, isStatement: false });
  return withMember(tokens, { text: `(${inner})`, end: close + 1 }, rewriting);
}

function isMemberAt(tokens: readonly Token[], index: number): boolean {
  const [dot, method, open] = tokens.slice(index, index + 3);
  return dot?.text === '.' && method?.text === 'get' && open?.text === '(' && closingBracket(tokens, index + 2) > 0;
}

/** `.get(key, default)`, which minijinja has without the default; after it perhaps another one. */
function withMember(tokens: readonly Token[], receiver: Operand, rewriting: Rewriting): Operand {
  let { text, end } = receiver;
  while (isMemberAt(tokens, end)) {
    const close = closingBracket(tokens, end + 2);
    const given = rewrite(tokens.slice(end + 3, close), { ...rewriting, isStatement: false });
    text = `(${text} | __member(${given}))`;
    end = close + 1;
  }
  return { text, end };
}

/** Whether a loop goes through what stands at an index. */
function isIterable(tokens: readonly Token[], index: number): boolean {
  const first = significant(tokens, 0, 1);
  return first.text === 'for' && significant(tokens, index - 1, -1).text === 'in' && !hasBefore(tokens, index, 'if');
}

function hasBefore(tokens: readonly Token[], index: number, name: string): boolean {
  return tokens.slice(0, index).some(({ kind, text }) => kind === 'name' && text === name);
}

/** A token as minijinja reads it. */
function plain({ kind, text }: Token): string {
  if (kind === 'number') return text.replaceAll('_', '');
  return kind === 'string' ? plainString(text) : text;
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
      path.push(rewrite(inner, { ...rewriting, isStatement: false }).trim());
      end = close + 1;
    } else return { path, end };
  }
}

function isSlice(inner: readonly Token[]): boolean {
  let depth = 0;
  return inner.some((token) => {
    if (['(', '[', '{'].includes(token.text)) depth += 1;
    if ([')', ']', '}'].includes(token.text)) depth -= 1;
    return token.text === ':' && depth === 0;
  });
}
