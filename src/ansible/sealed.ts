import { MarkedText, type TemplateValue } from '../model/marked-text.js';
import { type PythonValue, WholeFloat } from '../model/python-value.js';
import { Secret } from '../model/secret.js';
import { pythonText } from './python-text.js';

/**
 * Where a secret is from. `file`: a file that is encrypted as a whole, in which most values are no secrets. `value`: a
 * `!vault` value, or what a program handed in as a secret.
 */
export type SecretOrigin = 'value' | 'file';

/** A value that is secret, or was computed from one. */
export class Sealed {
  readonly #value: PythonValue;
  readonly origin: SecretOrigin;
  /** Of a text: which of its parts are secret; absent: all of it is. */
  readonly text: MarkedText | undefined;

  constructor(value: PythonValue, origin: SecretOrigin, text?: MarkedText) {
    this.#value = value;
    this.origin = origin;
    this.text = text;
  }

  reveal(): PythonValue {
    return this.#value;
  }
}

/** A rendered value, in which secrets are marked. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | WholeFloat
  | Sealed
  | readonly Value[]
  | { readonly [name: string]: Value };

/** The value itself. */
export function reveal(value: Value): PythonValue {
  if (value instanceof Sealed) return value.reveal();
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  if (isList(value)) return value.map(reveal);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));
}

/** Where the secrets of a value are from; undefined when it holds none. */
export function originOf(value: Value): SecretOrigin | undefined {
  if (value instanceof Sealed) return value.origin;
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return undefined;
  let found: SecretOrigin | undefined;
  for (const item of isList(value) ? value : Object.values(value)) {
    const origin = originOf(item);
    if (origin === 'value') return origin;
    found ??= origin;
  }
  return found;
}

/** A value as a template prints it. */
export function markedText(value: Value): MarkedText {
  if (value instanceof Sealed && value.text !== undefined) return value.text;
  const text = pythonText(reveal(value));
  return new MarkedText([originOf(value) === undefined ? text : new Secret(text)]);
}

/** A rendered text as a value. */
export function fromMarkedText(text: MarkedText, origin: SecretOrigin): Value {
  return text.isSecret ? new Sealed(text.reveal(), origin, text) : text.reveal();
}

/** What was handed to a template, as values: whatever it holds is text. */
export function fromTemplateValue(value: TemplateValue): Value {
  if (value instanceof Secret) return fromMarkedText(new MarkedText([value]), 'value');
  if (value instanceof MarkedText) return fromMarkedText(value, 'value');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly TemplateValue[]).map(fromTemplateValue);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromTemplateValue(item)]));
}

/** The member of a list or mapping; a member of what is secret is. */
export function memberOf(value: Value, step: string | number): Value | undefined {
  if (value instanceof Sealed) {
    const found = memberOf(value.reveal(), step);
    return found === undefined ? undefined : new Sealed(reveal(found), value.origin);
  }
  if (typeof value === 'string') return typeof step === 'number' ? value.at(step) : undefined;
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return undefined;
  if (isList(value)) return /^-?\d+$/.test(String(step)) ? value.at(Number(step)) : undefined;
  return Object.hasOwn(value, step) ? (value as Readonly<Record<string, Value>>)[step] : undefined;
}

/** The keys of a mapping, for "did you mean". */
export function keysOf(value: Value): readonly string[] {
  const open = value instanceof Sealed ? value.reveal() : value;
  const isMapping = typeof open === 'object' && open !== null && !Array.isArray(open) && !(open instanceof WholeFloat);
  return isMapping ? Object.keys(open) : [];
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** A value as secret as what it was computed from; a truth value tells no more than the outcome of a condition. */
export function sealed(value: PythonValue, origin: SecretOrigin | undefined): Value {
  return origin === undefined || value === null || typeof value === 'boolean' ? value : new Sealed(value, origin);
}
