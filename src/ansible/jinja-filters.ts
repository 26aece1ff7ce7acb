import type { Environment } from 'minijinja-js';
import { ProvisionError } from '../model/errors.js';
import { integerOf, isList, type PythonValue, WholeFloat } from '../model/python-value.js';
import { DATA_FILTERS } from './jinja-data-filters.js';
import { HOSTVARS, WRITING_FILTERS } from './jinja-rewrite.js';
import { fromEngine, parseJson, toEngine } from './json-values.js';
import { pythonJson } from './python-data.js';
import { pythonText } from './python-text.js';
import { TemplateError } from './template-error.js';

/** A filter or test: the value, then its positional arguments; keyword arguments come as a last object. */
type Filter = (value: PythonValue, ...args: readonly PythonValue[]) => PythonValue;

/**
 * Ansible's filters and tests that minijinja does not have or has otherwise, as far as inventories and the shipped templates use
 * them. Any other filter is an error when a variable that needs it is used.
 * @param fail takes what a filter threw: an exception inside WASM would tear it down
 * @param lookUp reads a variable, for `extract` with hostvars
 */
export function addAnsibleFilters(
  environment: Environment,
  fail: (error: unknown) => void,
  lookUp: (path: readonly (string | number)[]) => PythonValue,
): void {
  const guard =
    (name: string, filter: Filter) =>
    (...args: unknown[]) => {
      try {
        const [value = null, ...rest] = args.map(fromEngine);
        return toEngine(filter(value, ...rest));
      } catch (error) {
        fail(asTemplateError(name, error));
        return '';
      }
    };
  // The engine's own tojson is what tells us of floats.
  for (const [name, filter] of Object.entries(FILTERS))
    if (name !== 'tojson') environment.addFilter(name, guard(name, filter));
  for (const name of WRITING_FILTERS) {
    const filter = FILTERS[name] ?? pythonText;
    const write = guard(name, (json, ...options) => filter(parseJson(text(json)), ...options));
    environment.addFilter(`__${name}`, write);
  }
  for (const [name, test] of Object.entries(TESTS)) environment.addTest(name, guard(name, test));
  environment.addFilter(
    'extract',
    guard('extract', (key, container, ...more) => extract(key, container, more, lookUp)),
  );
  environment.addFilter('__text', (json: unknown) => pythonText(parseJson(String(json))));
}

/** The filter `extract`: a member of a container, and on into it. */
function extract(
  key: PythonValue,
  container: PythonValue,
  more: readonly PythonValue[],
  lookUp: (path: readonly (string | number)[]) => PythonValue,
): PythonValue {
  const path = [key, ...more.flatMap(items)];
  if (container !== HOSTVARS) return path.reduce<PythonValue>(member, container);
  return lookUp(['hostvars', ...path.map((step) => (typeof step === 'number' ? step : text(step)))]);
}

function member(container: PythonValue, key: PythonValue): PythonValue {
  if (typeof container !== 'object' || container === null || container instanceof WholeFloat) return null;
  return (container as Readonly<Record<string, PythonValue>>)[text(key)] ?? null;
}

const text = (value: PythonValue): string => pythonText(value);
const items = (value: PythonValue): readonly PythonValue[] => (isList(value) ? value : [value]);
const entries = (value: PythonValue): [string, PythonValue][] =>
  typeof value === 'object' && value !== null && !(value instanceof WholeFloat) ? Object.entries(value) : [];
const same = (a: PythonValue, b: PythonValue): boolean => pythonJson(a) === pythonJson(b);
const has = (list: PythonValue, item: PythonValue): boolean => items(list).some((other) => same(other, item));

/** ansible/plugins/filter/core.py, to_bool. */
function toBool(value: PythonValue): boolean {
  return typeof value === 'string'
    ? ['yes', 'on', '1', 'true'].includes(value.toLowerCase())
    : value === true || value === 1;
}

/** A Python regular expression; the syntax in use is the same but for named groups and inline flags. */
function regex(source: PythonValue, flags: string): RegExp {
  const inline = /^\(\?([imsx]+)\)/.exec(text(source));
  const body = text(source)
    .slice(inline?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\Z', '$');
  return new RegExp(body, flags + (inline?.[1] ?? '').replace('x', ''));
}

function combine(value: PythonValue, others: readonly PythonValue[]): PythonValue {
  const options = others.at(-1);
  const recursive = entries(options ?? null).length === 1 && member(options ?? null, 'recursive') === true;
  return (recursive ? others.slice(0, -1) : others).reduce<PythonValue>(
    (left, right) => merge(left, right, recursive ? 'deep' : 'flat'),
    value,
  );
}

function merge(left: PythonValue, right: PythonValue, how: 'deep' | 'flat'): PythonValue {
  const isDict = (value: PythonValue): boolean =>
    typeof value === 'object' && value !== null && !isList(value) && !(value instanceof WholeFloat);
  if (!isDict(left) || !isDict(right)) return right;
  const merged = new Map(entries(left));
  for (const [key, item] of entries(right)) {
    merged.set(key, how === 'deep' ? merge(merged.get(key) ?? null, item, how) : item);
  }
  return Object.fromEntries(merged);
}

function flatten(value: PythonValue): readonly PythonValue[] {
  return items(value).flatMap((item) => (Array.isArray(item) ? flatten(item) : [item]));
}

/** jinja2's int: a text that is no number gives the default, 0. */
function toInt(value: PythonValue, fallback: PythonValue = 0, base: PythonValue = 10): PythonValue {
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof WholeFloat) return integerOf(BigInt(value.value));
  if (typeof value === 'number' || typeof value === 'bigint')
    return typeof value === 'bigint' ? value : Math.trunc(value);
  const digits = text(value).trim();
  if (Number(base) === 10 && /^[-+]?\d+$/.test(digits)) return integerOf(BigInt(digits.replace('+', '')));
  const number =
    Number(base) === 10 ? Number(digits === '' ? Number.NaN : digits) : Number.parseInt(digits, Number(base));
  return Number.isFinite(number) ? Math.trunc(number) : fallback;
}

function compareVersions(a: string, b: string): number {
  const parts = (version: string): readonly string[] => version.replace(/^v/, '').split(/[.+-]/);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? '0').localeCompare(right[index] ?? '0', 'en', { numeric: true });
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionTest(value: PythonValue, other: PythonValue = '', operator: PythonValue = '=='): boolean {
  const order = compareVersions(text(value), text(other));
  const operators: Readonly<Record<string, boolean>> = {
    '==': order === 0,
    '=': order === 0,
    eq: order === 0,
    '!=': order !== 0,
    ne: order !== 0,
    '<': order < 0,
    lt: order < 0,
    '<=': order <= 0,
    le: order <= 0,
    '>': order > 0,
    gt: order > 0,
    '>=': order >= 0,
    ge: order >= 0,
  };
  const result = operators[text(operator)];
  if (result === undefined) throw new Error(`unknown comparison '${text(operator)}'`);
  return result;
}

const FILTERS: Readonly<Record<string, Filter>> = {
  ...DATA_FILTERS,
  bool: toBool,
  ternary: (value, yes = null, no = null, none = no) => (value === null ? none : toTruth(value) ? yes : no),
  int: toInt,
  string: text,
  join: (value, separator = '', attribute = null) =>
    items(value)
      .map((item) => text(attribute === null ? item : member(item, attribute)))
      .join(text(separator)),
  combine: (value, ...others) => combine(value, others),
  regex_replace: (value, pattern = '', replacement = '') =>
    text(value).replace(
      regex(pattern, 'g'),
      text(replacement)
        .replaceAll('$', '$$$$')
        .replace(/\\(?:g<)?(\w+)>?/g, (_, group: string) => (/^\d+$/.test(group) ? `$${group}` : `$<${group}>`)),
    ),
  regex_search: (value, pattern = '') => regex(pattern, '').exec(text(value))?.[0] ?? null,
  regex_findall: (value, pattern = '') =>
    [...text(value).matchAll(regex(pattern, 'g'))].map((match) => match[1] ?? match[0]),
  regex_escape: (value) => text(value).replace(/[\\^$.*+?()[\]{}|-]/g, '\\$&'),
  b64encode: (value) => Buffer.from(text(value)).toString('base64'),
  b64decode: (value) => Buffer.from(text(value), 'base64').toString('utf8'),
  quote: (value) => (/^[\w@%+=:,./-]+$/.test(text(value)) ? text(value) : `'${text(value).replaceAll("'", `'"'"'`)}'`),
  basename: (value) => text(value).slice(text(value).lastIndexOf('/') + 1),
  dirname: (value) => text(value).slice(0, Math.max(text(value).lastIndexOf('/'), 0)),
  flatten,
  union: (value, other = []) => unique([...items(value), ...items(other)]),
  intersect: (value, other = []) => unique(items(value).filter((item) => has(other, item))),
  difference: (value, other = []) => unique(items(value).filter((item) => !has(other, item))),
  dict2items: (value) => entries(value).map(([key, item]) => ({ key, value: item })),
  items2dict: (value) =>
    Object.fromEntries(items(value).map((item) => [text(member(item, 'key')), member(item, 'value')])),
  mandatory: (value) => value,
};

/** The filters that this program brings. */
export const FILTER_NAMES: ReadonlySet<string> = new Set(Object.keys(FILTERS));

/**
 * What a filter of ours makes of a value.
 * @throws TemplateError, or what it read was wrong about
 */
export function applyFilter(name: string, value: PythonValue, options: readonly PythonValue[]): PythonValue {
  const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (filter === undefined) throw new TypeError(`there is no filter ${name}`);
  try {
    return filter(value, ...options);
  } catch (error) {
    throw asTemplateError(name, error);
  }
}

function asTemplateError(name: string, error: unknown): Error {
  if (error instanceof TemplateError || error instanceof ProvisionError) return error;
  return new TemplateError('wrong', `filter ${name}: ${error instanceof Error ? error.message : String(error)}`);
}

const TESTS: Readonly<Record<string, Filter>> = {
  match: (value, pattern = '') => regex(`^(?:${text(pattern)})`, '').test(text(value)),
  search: (value, pattern = '') => regex(pattern, '').test(text(value)),
  regex: (value, pattern = '') => regex(pattern, '').test(text(value)),
  version: versionTest,
  version_compare: versionTest,
  subset: (value, other = []) => items(value).every((item) => has(other, item)),
  superset: (value, other = []) => items(other).every((item) => has(value, item)),
  contains: (value, item = null) => (typeof value === 'string' ? value.includes(text(item)) : has(value, item)),
  truthy: toTruth,
  falsy: (value) => !toTruth(value),
};

/** Python's truth value. */
function toTruth(value: PythonValue): boolean {
  if (value instanceof WholeFloat) return value.value !== 0;
  return typeof value === 'object' && value !== null ? entries(value).length > 0 : Boolean(value);
}

function unique(list: readonly PythonValue[]): readonly PythonValue[] {
  return list.filter((item, index) => list.findIndex((other) => same(other, item)) === index);
}
