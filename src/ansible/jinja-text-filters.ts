import { createHash } from 'node:crypto';
import { isList, isMapping, type PythonValue, WholeFloat } from '../model/python-value.js';
import { member } from './python-builtins.js';
import { pythonStr } from './python-text.js';

/** A filter: the value, then its positional arguments. */
type TextFilter = (value: PythonValue, ...args: readonly PythonValue[]) => PythonValue;

/** Conversion of Python's `%`: a key in brackets, flags, width, precision, type. */
const CONVERSION = /%(?:\((\w+)\))?([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g;

/** Wider than any line of a file: a width is as long in memory as it says. */
const MAX_WIDTH = 1000;

/** Python's `format % arguments`, of the types that configuration files use. @throws Error for any other, and for too few arguments */
function printf(format: string, given: readonly PythonValue[]): string {
  let next = 0;
  const named = given[0];
  return format.replace(CONVERSION, (whole, key: string | undefined, flags: string, width: string, precision, type) => {
    if (type === '%') return '%';
    if (Number(width) > MAX_WIDTH) throw new Error(`${whole} is wider than ${MAX_WIDTH} characters`);
    const value = key === undefined ? given[next++] : member(named ?? null, key);
    if (value === undefined) throw new Error(`there is no value for ${whole}`);
    const text = converted(value, String(type), precision === undefined ? undefined : Number(precision));
    return padded(flags.includes('+') && Number(value) >= 0 ? `+${text}` : text, Number(width), flags, String(type));
  });
}

function converted(value: PythonValue, type: string, precision: number | undefined): string {
  if (type === 's') return pythonStr(value).slice(0, precision);
  const number = value instanceof WholeFloat ? value.value : value;
  if (typeof number !== 'number' && typeof number !== 'bigint') throw new Error(`%${type} takes a number`);
  switch (type) {
    case 'd':
    case 'i':
    case 'u':
      return String(typeof number === 'bigint' ? number : Math.trunc(number));
    case 'f':
    case 'F':
      return Number(number).toFixed(precision ?? 6);
    case 'x':
      return number.toString(16);
    case 'X':
      return number.toString(16).toUpperCase();
    case 'o':
      return number.toString(8);
    default:
      throw new Error(`%${type} is none of %s, %d, %f, %x and %o`);
  }
}

function padded(text: string, width: number, flags: string, type: string): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || type === 's') return text.padStart(width);
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/.exec(text) ?? [];
  return sign + digits.padStart(width - sign.length, '0');
}

/** The parts of a URL, by the names that Python's urlsplit gives them (RFC 3986, appendix B). */
function urlParts(url: string): Readonly<Record<string, PythonValue>> {
  const [, scheme = '', netloc = '', path = '', query = '', fragment = ''] =
    /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?/s.exec(url) ?? [];
  const [, username = null, password = null, bracketed, host = '', port] =
    /^(?:([^:@]*)(?::([^@]*))?@)?(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(netloc) ?? [];
  const hostname = (bracketed ?? host).toLowerCase();
  return {
    ...{ scheme: scheme.toLowerCase(), netloc, path, query, fragment, username, password },
    ...{ hostname: hostname === '' ? null : hostname, port: port ? Number(port) : null },
  };
}

function urlsplit(url: string, part: PythonValue): PythonValue {
  const parts = urlParts(url);
  if (part === '') return parts;
  const found = Object.hasOwn(parts, pythonStr(part)) ? parts[pythonStr(part)] : undefined;
  if (found === undefined) throw new Error(`'${pythonStr(part)}' is none of ${Object.keys(parts).join(', ')}`);
  return found;
}

/** Python's urllib.parse.quote. @param safe what stays beside letters, digits and `_.-~` */
function percentEncoded(text: string, safe: '/' | ''): string {
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return safe === '/' ? encoded.replaceAll('%2F', '/') : encoded;
}

function urlencode(value: PythonValue): string {
  const pairs = isList(value)
    ? value.map((pair) => (isList(pair) ? pair : []))
    : isMapping(value)
      ? Object.entries(value)
      : undefined;
  if (pairs === undefined) return percentEncoded(pythonStr(value), '/');
  const plus = (part: PythonValue | undefined): string =>
    percentEncoded(pythonStr(part ?? null), '').replaceAll('%20', '+');
  return pairs.map(([key, item]) => `${plus(key)}=${plus(item)}`).join('&');
}

function replaced(text: string, old: string, by: string, count: PythonValue): string {
  const parts = text.split(old);
  const limit = count === null ? parts.length : Number(count);
  return parts.reduce((left, right, index) => `${left}${index <= limit ? by : old}${right}`);
}

function splitext(path: string): readonly string[] {
  const [, root = path, extension = ''] = /^(.*[^./])(\.[^./]*)$/s.exec(path) ?? [];
  return [root, extension];
}

const digest = (algorithm: string, value: PythonValue): string => {
  const known = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
  if (!known.includes(algorithm)) throw new Error(`'${algorithm}' is none of ${known.join(', ')}`);
  return createHash(algorithm).update(pythonStr(value)).digest('hex');
};

/** The filters of Jinja2 and Ansible that are about texts, and that minijinja has not, or otherwise. */
export const TEXT_FILTERS: Readonly<Record<string, TextFilter>> = {
  format: (value, ...given) => printf(pythonStr(value), given),
  replace: (value, old = '', by = '', count = null) => replaced(pythonStr(value), pythonStr(old), pythonStr(by), count),
  wordcount: (value) => (pythonStr(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length,
  splitext: (value) => splitext(pythonStr(value)),
  urlsplit: (value, part = '') => urlsplit(pythonStr(value), part),
  urlencode,
  hash: (value, algorithm = 'sha1') => digest(pythonStr(algorithm), value),
  checksum: (value) => digest('sha1', value),
  md5: (value) => digest('md5', value),
  sha1: (value) => digest('sha1', value),
};
