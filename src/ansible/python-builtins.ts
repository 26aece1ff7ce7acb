import { isList, isMapping, type PythonValue, WholeFloat } from '../model/python-value.js';
import { pythonJson } from './python-data.js';
import { pythonStr } from './python-text.js';

// What filters and tests do with any value, as Python does it.

/** What a list holds; any other value is a list of itself. */
export function items(value: PythonValue): readonly PythonValue[] {
  return isList(value) ? value : [value];
}

/**
 * What Python goes through in a value: the items of a list, the keys of a mapping, the characters of a text.
 * @throws Error for what it goes through nothing in
 */
export function iterated(value: PythonValue): readonly PythonValue[] {
  if (isList(value)) return value;
  if (isMapping(value)) return Object.keys(value);
  if (typeof value !== 'string') throw new Error(`${pythonStr(value)} is no list, mapping or text`);
  return Array.from(value);
}

/** The keys and values of a mapping, in the order in which they were written; of a list by its indexes; nothing of all else. */
export function entries(value: PythonValue): readonly (readonly [string, PythonValue])[] {
  return typeof value === 'object' && value !== null && !(value instanceof WholeFloat) ? Object.entries(value) : [];
}

/** What a mapping or a list has at a key; null where it has nothing. */
export function member(container: PythonValue, key: PythonValue): PythonValue {
  if (typeof container !== 'object' || container === null || container instanceof WholeFloat) return null;
  const name = pythonStr(key);
  return Object.hasOwn(container, name) ? ((container as Readonly<Record<string, PythonValue>>)[name] ?? null) : null;
}

/** `mapping.get(key, default)`. @throws Error for what is no mapping */
export function memberOr(container: PythonValue, key: PythonValue = null, fallback: PythonValue = null): PythonValue {
  if (!isMapping(container)) throw new Error('is no mapping');
  const name = pythonStr(key);
  return Object.hasOwn(container, name) ? (container[name] ?? null) : fallback;
}

/** Whether a list holds an item, a mapping a key, a text a character. @throws as {@link iterated} */
export function has(container: PythonValue, item: PythonValue): boolean {
  const wanted = pythonJson(item);
  return iterated(container).some((other) => pythonJson(other) === wanted);
}

/** The items of a list, each once. */
export function unique(list: readonly PythonValue[]): readonly PythonValue[] {
  return [...new Map(list.toReversed().map((item) => [pythonJson(item), item])).values()].toReversed();
}

/** Python's truth value. */
export function isTrue(value: PythonValue): boolean {
  if (value instanceof WholeFloat) return value.value !== 0;
  return typeof value === 'object' && value !== null ? entries(value).length > 0 : Boolean(value);
}
