import { isList, numberText, type PythonValue, WholeFloat } from '../model/python-value.js';
import { isExactInEngine } from './json-values.js';

/** minijinja's literals end here. */
const MAX_LITERAL = 2n ** 127n - 1n;

/**
 * The values of an evaluation that minijinja would not take as they are (`3.0` becomes 3 on its way in). It reads them
 * as literals of its own instead: a template that has looked one up is evaluated again, with these in front of it.
 */
export class ExactValues {
  /** Long integers are numbers, or the texts of their digits. */
  readonly longs: 'number' | 'text';
  readonly #known = new Map<string, { readonly id: string; readonly value: PythonValue }>();

  constructor(longs: 'number' | 'text') {
    this.longs = longs;
  }

  get size(): number {
    return this.#known.size;
  }

  /** The name of what was looked up at a path, where it needs one; empty for all else. */
  idOf(path: readonly (string | number)[], value: PythonValue): string {
    if (isExactInEngine(value, this.longs)) return '';
    const key = JSON.stringify(path);
    const known = this.#known.get(key) ?? { id: `k${this.#known.size}`, value };
    this.#known.set(key, known);
    return known.id;
  }

  /** A statement that sets `__exact`, and the texts in it: what others wrote never becomes source. */
  prelude(): { readonly statement: string; readonly texts: readonly string[] } {
    const texts: string[] = [];
    const byNumber = (text: string): string => `__texts[${texts.push(text) - 1}]`;
    const long = (value: bigint): string =>
      this.longs === 'number' && value <= MAX_LITERAL && value >= -MAX_LITERAL ? `(${value})` : byNumber(String(value));
    const entries = [...this.#known.values()].map(({ id, value }) => `"${id}": ${literal(value, byNumber, long)}`);
    return { statement: `{%- set __exact = {${entries.join(', ')}} +%}`, texts };
  }
}

function literal(value: PythonValue, byNumber: (text: string) => string, long: (value: bigint) => string): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return byNumber(value);
  if (typeof value === 'bigint') return long(value);
  if (typeof value === 'number' || value instanceof WholeFloat) return numberLiteral(numberText(value));
  if (isList(value)) return `[${value.map((item) => literal(item, byNumber, long)).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${byNumber(key)}: ${literal(item, byNumber, long)}`)
    .join(', ')}}`;
}

/** What has no literal is read from a text: `inf`, `nan`. */
function numberLiteral(text: string): string {
  return /\d/.test(text) ? `(${text})` : `("${text}" | float)`;
}
