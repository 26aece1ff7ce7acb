import type { Json } from '../model/json.js';

/** What minijinja and the literal reader give (Maps, undefined for None) as JSON. */
export function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item)]));
  }
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'bigint') return wholeNumber(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

/** A long integer as the text of all its digits, where a number would lose some: it may be a password. */
export function wholeNumber<T>(value: T): Exclude<T, bigint> | number | string {
  if (typeof value !== 'bigint') return value as Exclude<T, bigint>;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
