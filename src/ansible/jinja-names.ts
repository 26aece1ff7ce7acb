import { significant, type Token } from './jinja-tokens.js';

// Which names of a template are variables.

/** Names that are no variables wherever they stand. */
export const KEYWORDS = new Set(
  'and or not in is if else true false none True False None loop self super caller varargs kwargs'.split(' '),
);

/** Statements whose other words are no variables, either: `include 'x' ignore missing with context`. */
const WITH_WORDS = new Set(['include', 'import', 'from', 'extends', 'block']);

/** What is known of the names in an expression or a statement. */
export interface Names {
  readonly locals: ReadonlySet<string>;
  /** Whether the first word says what is done: `if`, `for`, `set`. */
  readonly isStatement: boolean;
}

/** Whether the name at an index is looked up, and is no attribute, filter, test, keyword argument, function or local. */
export function isVariable(tokens: readonly Token[], index: number, { locals, isStatement }: Names): boolean {
  const name = tokens[index]?.text ?? '';
  if (KEYWORDS.has(name) || locals.has(name) || (isStatement && isTag(tokens, index))) return false;
  const before = significant(tokens, index - 1, -1);
  if (['.', '|', 'is', 'filter'].includes(before.text)) return false;
  if (before.text === 'not' && significant(tokens, before.index - 1, -1).text === 'is') return false;
  const after = significant(tokens, index + 1, 1).text;
  return after !== '(' && after !== '=';
}

/** Whether a name of a statement says what the statement does. */
function isTag(tokens: readonly Token[], index: number): boolean {
  const first = significant(tokens, 0, 1);
  if (first.index === index || WITH_WORDS.has(first.text)) return true;
  return first.text === 'for' && tokens[index]?.text === 'recursive' && significant(tokens, index + 1, 1).text === '';
}

/** Whether what follows allows the variable to be missing: `is defined`, `is not defined`, `| default(…)`. */
export function isGuarded(tokens: readonly Token[], from: number): boolean {
  const first = significant(tokens, from, 1);
  const second = significant(tokens, first.index + 1, 1);
  const third = significant(tokens, second.index + 1, 1);
  if (first.text === '|') return ['default', 'd'].includes(second.text);
  return first.text === 'is' && /^(?:un)?defined$/.test(second.text === 'not' ? third.text : second.text);
}
