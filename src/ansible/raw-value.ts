import type { SourcePosition } from '../model/errors.js';
import { isList, type PythonValue, WholeFloat } from '../model/python-value.js';
import type { Value } from './sealed.js';

/** `!vault`: Ansible Vault cipher text, decrypted only when it is used. */
export interface VaultValue {
  readonly kind: 'vault';
  readonly cipherText: string;
}

/** `!unsafe`: a text that is never a template. */
export interface UnsafeValue {
  readonly kind: 'unsafe';
  readonly text: string;
}

/** A text or number out of a file that was encrypted as a whole. */
export interface ConfidentialValue {
  readonly kind: 'confidential';
  readonly value: string | number | bigint | WholeFloat;
}

/** What was handed to a template: never a template itself, secrets marked. */
export interface GivenValue {
  readonly kind: 'given';
  readonly value: Value;
}

/** A value as the files hold it: templates unrendered, secrets still marked. Mappings are Maps, in file order. */
export type RawValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | WholeFloat
  | readonly RawValue[]
  | ReadonlyMap<string, RawValue>
  | VaultValue
  | UnsafeValue
  | ConfidentialValue
  | GivenValue;

/** A variable as it was set in one place. */
export interface Setting {
  /** Read on demand: most variables of a large inventory are never asked for. */
  value(): RawValue;
  /** Absent for variables of a play, which are not the inventory's. */
  readonly at: SourcePosition | undefined;
  /** The place of a part of the value; the nearest known place when the part has none of its own. */
  positionOf(path: readonly (string | number)[]): SourcePosition | undefined;
}

/** A setting whose value is known already. */
export function plainSetting(value: RawValue, at: SourcePosition | undefined): Setting {
  return { value: () => value, at, positionOf: () => at };
}

/** Tells marked values from plain ones. */
export function isMarked(value: RawValue): value is VaultValue | UnsafeValue | ConfidentialValue | GivenValue {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Tells mappings from all else. */
export function isMapping(value: RawValue): value is ReadonlyMap<string, RawValue> {
  return value instanceof Map;
}

/** Tells lists from all else. */
export function isSequence(value: RawValue): value is readonly RawValue[] {
  return Array.isArray(value);
}

/** A value as a raw one, its texts templates. */
export function fromPython(value: PythonValue): RawValue {
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  if (isList(value)) return value.map(fromPython);
  return new Map(Object.entries(value).map(([key, item]) => [key, fromPython(item)]));
}

/** A value in which no text is a template. */
export function asUnsafe(value: RawValue): RawValue {
  if (typeof value === 'string') return { kind: 'unsafe', text: value };
  if (isSequence(value)) return value.map(asUnsafe);
  return isMapping(value) ? new Map([...value].map(([key, item]) => [key, asUnsafe(item)])) : value;
}

/** A literal as a value: it holds no marks. */
export function fromRaw(value: RawValue): PythonValue {
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  if (isSequence(value)) return value.map(fromRaw);
  return isMapping(value) ? Object.fromEntries([...value].map(([key, item]) => [key, fromRaw(item)])) : null;
}
