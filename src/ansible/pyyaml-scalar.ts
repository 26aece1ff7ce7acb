// What PyYAML 6.0 makes of a plain scalar (yaml/resolver.py, yaml/constructor.py). It is neither YAML 1.1 nor 1.2 to
// the letter: `y` is a text, `1e3` is a text, `0o17` is a text, `017` is 15, `1:30` is 90. Ansible inventories depend
// on it, and no YAML library for Node reads scalars this way.

import { floatOf, integerOf, type WholeFloat } from '../model/python-value.js';

const BOOLEANS = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const INTEGER =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const NULL = /^(?:~|null|Null|NULL|)$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME =
  /^([0-9]{4})-([0-9][0-9]?)-([0-9][0-9]?)(?:[Tt]|[ \t]+)([0-9][0-9]?):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9][0-9]?)(?::([0-9]{2}))?))?$/;

/** A plain (unquoted, untagged) scalar as PyYAML's SafeLoader resolves it; dates as their ISO text. */
export function resolvePlainScalar(text: string): string | number | bigint | boolean | WholeFloat | null {
  if (BOOLEANS.test(text)) return toBoolean(text);
  if (FLOAT.test(text)) return toFloat(text);
  if (INTEGER.test(text)) return toInteger(text);
  if (NULL.test(text)) return null;
  return isoDate(text) ?? text;
}

/** `!!bool`. */
export function toBoolean(text: string): boolean {
  return /^(?:yes|true|on)$/i.test(text);
}

/** `!!int`: binary, octal with a leading 0, hexadecimal, base 60, decimal; `_` is ignored. */
export function toInteger(text: string): number | bigint {
  const short = toShortInteger(text);
  return Number.isSafeInteger(short) ? short : toLongInteger(text);
}

function toShortInteger(text: string): number {
  const digits = text.replaceAll('_', '');
  const sign = digits.startsWith('-') ? -1 : 1;
  const body = digits.replace(/^[-+]/, '');
  if (body === '0') return 0;
  if (/^0[bx]/.test(body)) return sign * Number(body);
  if (body.startsWith('0')) return sign * Number.parseInt(body.replace(/^0o/i, ''), 8);
  return sign * (body.includes(':') ? sexagesimal(body) : Number(body));
}

/** All its digits; not a number (`!!int x`) stays NaN. */
function toLongInteger(text: string): number | bigint {
  const digits = text.replaceAll('_', '');
  const body = digits.replace(/^[-+]/, '');
  const isOctal = /^0[0-7]+$/.test(body);
  if (!isOctal && !/^(?:0b[01]+|0x[0-9a-fA-F]+|[1-9]\d*)$/.test(body)) return toShortInteger(text);
  const value = BigInt(isOctal ? `0o${body}` : body);
  return integerOf(digits.startsWith('-') ? -value : value);
}

/** `!!float`. */
export function toFloat(text: string): number | WholeFloat {
  return floatOf(readFloat(text));
}

function readFloat(text: string): number {
  const digits = text.replaceAll('_', '').toLowerCase();
  const sign = digits.startsWith('-') ? -1 : 1;
  const body = digits.replace(/^[-+]/, '');
  if (body === '.inf') return sign * Number.POSITIVE_INFINITY;
  if (body === '.nan') return Number.NaN;
  return sign * (body.includes(':') ? sexagesimal(body) : Number(body));
}

function sexagesimal(body: string): number {
  return body.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** A timestamp as Python's `isoformat()` prints it, which is how ansible-inventory shows dates. */
function isoDate(text: string): string | undefined {
  if (DATE.test(text)) return Number.isNaN(Date.parse(text)) ? undefined : text;
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone, sign, zoneHour, zoneMinute] = match;
  const two = (part: string | undefined): string => (part ?? '0').padStart(2, '0');
  const micros = (fraction ?? '').slice(0, 6).padEnd(6, '0');
  const date = `${year ?? ''}-${two(month)}-${two(day)}T${two(hour)}:${minute ?? ''}:${second ?? ''}`;
  const offset = zone === 'Z' ? '+00:00' : zone === undefined ? '' : `${sign ?? ''}${two(zoneHour)}:${two(zoneMinute)}`;
  return `${date}${micros === '000000' ? '' : `.${micros}`}${offset}`;
}
