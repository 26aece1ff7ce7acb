import { isMapping, type PythonValue } from '../model/python-value.js';
import { significant, type Token } from './jinja-tokens.js';

// What is asked of a variable that is a mapping, where minijinja would answer in the order of the alphabet: it is worked out before
// the engine sees the mapping. Python keeps the order in which keys were written.

/** Name of the function that a rewritten source calls → what that makes of a value; undefined where only a mapping has it. */
export const VIEWS = {
  __get: (value) => value,
  __items: (value) => (isMapping(value) ? Object.entries(value) : undefined),
  __keys: (value) => (isMapping(value) ? Object.keys(value) : undefined),
  __values: (value) => (isMapping(value) ? Object.values(value) : undefined),
  __pairs: (value) =>
    isMapping(value) ? Object.entries(value).map(([key, item]) => ({ key, value: item })) : undefined,
  /** What a loop goes through. */
  __each: (value) => (isMapping(value) ? Object.keys(value) : value),
} as const satisfies Readonly<Record<string, (value: PythonValue) => PythonValue | undefined>>;

/** A view, by the name of its function. */
export type View = keyof typeof VIEWS;

/** What such a name ends with where a missing variable is an empty mapping. */
export const OR_EMPTY = '_or_empty';

/** Method of a mapping → its view. */
const METHODS: ReadonlyMap<string, View> = new Map([
  ['items', '__items'],
  ['keys', '__keys'],
  ['values', '__values'],
]);

/** What is asked of a variable: the function that answers, and the token after it. */
export interface Asked {
  readonly look: string;
  readonly end: number;
}

/**
 * What is asked of a variable: `.items()`, `| dict2items`, `| default(none)`, and the like.
 * @param from the token after the variable
 * @param isIterable whether a loop goes through it
 */
export function askedAt(tokens: readonly Token[], from: number, isIterable: boolean): Asked | undefined {
  const [pipe, filter, open, value, close] = wordsAt(tokens, from, 5);
  // minijinja would make an empty text of it.
  if (pipe === '|' && isDefault(filter) && open === '(' && /^[nN]one$/.test(value ?? '') && close === ')')
    return { look: '__none', end: endOfWords(tokens, from, 5) };
  const end = endOfEmptyDefault(tokens, from);
  return end === undefined ? viewAt(tokens, from, isIterable) : orEmpty(viewAt(tokens, end, isIterable));
}

/** The same of a variable that may be missing. */
export function orEmpty(asked: Asked | undefined): Asked | undefined {
  return asked && { ...asked, look: `${asked.look}${OR_EMPTY}` };
}

/** The same without what may be said of a variable that is missing. */
export function viewAt(tokens: readonly Token[], from: number, isIterable: boolean): Asked | undefined {
  const [first = '', second = '', third, fourth] = wordsAt(tokens, from, 4);
  const asked = (look: View, words: number): Asked => ({ look, end: endOfWords(tokens, from, words) });
  const method = first === '.' && third === '(' && fourth === ')' ? METHODS.get(second) : undefined;
  if (method !== undefined) return asked(method, 4);
  if (first === '|' && second === 'dict2items' && third !== '(') return asked('__pairs', 2);
  const isGoneThrough = (first === '|' && second === 'list') || (isIterable && /^(?:|if|recursive)$/.test(first));
  return isGoneThrough ? asked('__each', 0) : undefined;
}

/** Where `| default({})` ends. */
export function endOfEmptyDefault(tokens: readonly Token[], from: number): number | undefined {
  const [pipe, filter, ...rest] = wordsAt(tokens, from, 8);
  const given = rest.join('');
  if (pipe !== '|' || !isDefault(filter)) return undefined;
  if (given.startsWith('({})')) return endOfWords(tokens, from, 6);
  return /^\(\{\},true\)/i.test(given) ? endOfWords(tokens, from, 8) : undefined;
}

function isDefault(filter: string | undefined): boolean {
  return filter === 'default' || filter === 'd';
}

function wordsAt(tokens: readonly Token[], from: number, count: number): readonly string[] {
  const words: string[] = [];
  for (let index = from; index < tokens.length && words.length < count; index += 1)
    if (tokens[index]?.kind !== 'space') words.push(tokens[index]?.text ?? '');
  return words;
}

function endOfWords(tokens: readonly Token[], from: number, count: number): number {
  let index = from;
  for (let left = count; left > 0; left -= 1) index = significant(tokens, index, 1).index + 1;
  return index;
}
