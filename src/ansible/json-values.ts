import type { Json } from '../model/json.js';
import { floatOf, integerOf, isList, numberText, type PythonValue, WholeFloat } from '../model/python-value.js';

/** What minijinja hands out (Maps, undefined for None). Whole floats come as integers: it knows them apart, we do not. */
export function fromEngine(value: unknown): PythonValue {
  if (value === undefined || value === null) return null;
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), fromEngine(item)]));
  if (Array.isArray(value)) return value.map(fromEngine);
  if (typeof value === 'bigint') return integerOf(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromEngine(item)]));
}

/** A value for those who ask for JSON: a long integer as the text of all its digits, since it may be a password. */
export function toJson(value: PythonValue): Json {
  if (value instanceof WholeFloat) return value.value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

const JSON_TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/gs;

/** Names a number in a text of JSON; drawn so that no text of others is taken for it. */
const NUMBER = `number ${crypto.randomUUID()} `;

/** JSON as Python reads it: `3.0` stays a float, an integer keeps all its digits. @throws SyntaxError */
export function parseJson(text: string): PythonValue {
  const marked = text.replace(JSON_TOKEN, (token) => {
    const isKept = token.startsWith('"') || (/^-?\d{1,15}$/.test(token) && token !== '-0');
    return isKept ? token : JSON.stringify(NUMBER + token);
  });
  const revive = (_: string, value: unknown): unknown =>
    typeof value === 'string' && value.startsWith(NUMBER) ? jsonNumber(value.slice(NUMBER.length)) : value;
  JSON.parse(text);
  return JSON.parse(marked, revive) as PythonValue;
}

/** A number of JSON. */
export function jsonNumber(text: string): number | bigint | WholeFloat {
  return /^-?\d+$/.test(text) ? integerOf(BigInt(text)) : floatOf(Number(text));
}

/** What minijinja takes for a number of its own, if it takes a long one at all. */
const LONGEST = { min: -(2n ** 63n), max: 2n ** 64n - 1n } as const;

/** A value as minijinja takes it, whole floats as integers: see {@link ExactValues} for what needs more. */
export function toEngine(value: PythonValue, longs: 'number' | 'text' = 'number'): unknown {
  if (value instanceof WholeFloat) return value.value;
  // In the JSON that values come back as, there is no infinity.
  if (typeof value === 'number' && !Number.isFinite(value)) return numberText(value);
  if (typeof value === 'bigint') return longs === 'number' && fitsEngine(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((item) => toEngine(item, longs));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toEngine(item, longs)]));
}

/** Whether {@link toEngine} keeps all of a value. */
export function isExactInEngine(value: PythonValue, longs: 'number' | 'text'): boolean {
  if (value instanceof WholeFloat) return false;
  if (typeof value === 'bigint') return longs === 'text' || fitsEngine(value);
  if (typeof value !== 'object' || value === null) return true;
  return isList(value)
    ? value.every((item) => isExactInEngine(item, longs))
    : Object.values(value).every((item) => isExactInEngine(item, longs));
}

function fitsEngine(value: bigint): boolean {
  return value >= LONGEST.min && value <= LONGEST.max;
}
