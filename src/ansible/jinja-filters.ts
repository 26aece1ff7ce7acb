import type { Environment } from 'minijinja-js';
import { ProvisionError } from '../model/errors.js';
import { integerOf, isList, type PythonValue, WholeFloat } from '../model/python-value.js';
import { combine } from './jinja-combine.js';
import { DATA_FILTERS } from './jinja-data-filters.js';
import { REGEX_FILTERS } from './jinja-regex-filters.js';
import { HOSTVARS, WRITING_FILTERS } from './jinja-rewrite.js';
import { TESTS } from './jinja-tests.js';
import { TEXT_FILTERS } from './jinja-text-filters.js';
import { fromEngine, parseJson, toEngine } from './json-values.js';
import { entries, has, isTrue, items, iterated, member, memberOr, unique } from './python-builtins.js';
import { pythonStr, pythonText } from './python-text.js';
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
        return toEngine(filter(value, ...inPlace(name, rest)));
      } catch (error) {
        fail(asTemplateError(name, error));
        return '';
      }
    };
  // The engine's own tojson is what tells us of floats.
  for (const [name, filter] of Object.entries(FILTERS))
    if (name !== 'tojson') environment.addFilter(name, guard(name, filter));
  for (const name of WRITING_FILTERS) {
    const filter = FILTERS[name] ?? pythonStr;
    const write = guard(name, (json, ...given) => filter(parseJson(pythonStr(json)), ...given));
    environment.addFilter(`__${name}`, write);
  }
  for (const [name, test] of Object.entries(TESTS)) environment.addTest(name, guard(name, test));
  environment.addFilter(
    'extract',
    guard('extract', (key, container, ...more) => extract(key, container, more, lookUp)),
  );
  environment.addFilter('__text', (json: unknown) => pythonText(parseJson(String(json))));
  environment.addFilter('__str', (json: unknown) => pythonStr(parseJson(String(json))));
  environment.addFilter('__member', guard('get', memberOr));
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
  return lookUp(['hostvars', ...path.map((step) => (typeof step === 'number' ? step : pythonStr(step)))]);
}

/** ansible/plugins/filter/core.py, to_bool. */
function toBool(value: PythonValue): boolean | null {
  if (value === null) return null;
  if (typeof value === 'string') return ['yes', 'on', '1', 'true'].includes(value.toLowerCase());
  return value === true || value === 1 || (value instanceof WholeFloat && value.value === 1);
}

/** Python's `os.path.dirname`. */
function dirname(path: string): string {
  const head = path.slice(0, path.lastIndexOf('/') + 1);
  return /[^/]/.test(head) ? head.replace(/\/+$/, '') : head;
}

/** @param levels how deep; all of it where it is null */
function flatten(
  value: PythonValue,
  levels: PythonValue = null,
  skipNulls: PythonValue = true,
): readonly PythonValue[] {
  const left = levels === null ? Infinity : Number(levels);
  return items(value).flatMap((item) => {
    if (skipNulls === true && (item === null || item === 'None' || item === 'null')) return [];
    if (!isList(item)) return [item];
    return left <= 0 ? [item] : flatten(item, levels === null ? null : left - 1, skipNulls);
  });
}

/** jinja2's int: a text that is no number gives the default, 0. */
function toInt(value: PythonValue, fallback: PythonValue = 0, base: PythonValue = 10): PythonValue {
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof WholeFloat) return integerOf(BigInt(value.value));
  if (typeof value === 'number' || typeof value === 'bigint')
    return typeof value === 'bigint' ? value : Math.trunc(value);
  const digits = pythonStr(value).trim();
  if (Number(base) === 10 && /^[-+]?\d+$/.test(digits)) return integerOf(BigInt(digits.replace('+', '')));
  const number =
    Number(base) === 10 ? Number(digits === '' ? Number.NaN : digits) : Number.parseInt(digits, Number(base));
  return Number.isFinite(number) ? Math.trunc(number) : fallback;
}

const FILTERS: Readonly<Record<string, Filter>> = {
  ...DATA_FILTERS,
  ...TEXT_FILTERS,
  ...REGEX_FILTERS,
  bool: toBool,
  ternary: (value, yes = null, no = null, none = no) => (value === null ? none : isTrue(value) ? yes : no),
  int: toInt,
  string: pythonStr,
  join: (value, separator = '', attribute = null) =>
    iterated(value)
      .map((item) => pythonStr(attribute === null ? item : member(item, attribute)))
      .join(pythonStr(separator)),
  combine: (value, ...others) => combine(value, others),
  b64encode: (value) => Buffer.from(pythonStr(value)).toString('base64'),
  b64decode: (value) => Buffer.from(pythonStr(value), 'base64').toString('utf8'),
  quote: (value) =>
    /^[\w@%+=:,./-]+$/.test(pythonStr(value)) ? pythonStr(value) : `'${pythonStr(value).replaceAll("'", `'"'"'`)}'`,
  basename: (value) => pythonStr(value).slice(pythonStr(value).lastIndexOf('/') + 1),
  dirname: (value) => dirname(pythonStr(value)),
  flatten,
  union: (value, other = []) => unique([...iterated(value), ...iterated(other)]),
  intersect: (value, other = []) => unique(iterated(value).filter((item) => has(other, item))),
  difference: (value, other = []) => unique(iterated(value).filter((item) => !has(other, item))),
  symmetric_difference: (value, other = []) =>
    unique([
      ...iterated(value).filter((item) => !has(other, item)),
      ...iterated(other).filter((item) => !has(value, item)),
    ]),
  zip: (value, ...others) => zipped([iterated(value), ...others.map(iterated)]),
  product: (value, ...others) => product([value, ...others].map(iterated)),
  dict2items: (value, key = 'key', valueName = 'value') =>
    entries(value).map(([name, item]) => ({ [pythonStr(key)]: name, [pythonStr(valueName)]: item })),
  items2dict: (value, key = 'key', valueName = 'value') =>
    Object.fromEntries(iterated(value).map((item) => [pythonStr(member(item, key)), member(item, valueName)])),
  mandatory: (value) => value,
};

const MATCHING = ['ignorecase', 'multiline'] as const;

/** Filter → the names of its parameters, in their order. Those that are not here take all that is named as one mapping. */
const PARAMETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['int', ['default', 'base']],
  ['ternary', ['true_val', 'false_val', 'none_val']],
  ['join', ['d', 'attribute']],
  ['regex_replace', ['pattern', 'replacement', ...MATCHING]],
  ['regex_findall', ['pattern', 'multiline', 'ignorecase']],
  ['match', ['pattern', ...MATCHING]],
  ['search', ['pattern', ...MATCHING]],
  ['regex', ['pattern', ...MATCHING]],
  ['version', ['version', 'operator', 'strict', 'version_type']],
  ['hash', ['hashtype']],
  ['urlsplit', ['query']],
  ['replace', ['old', 'new', 'count']],
  ['flatten', ['levels', 'skip_nulls']],
  ['dict2items', ['key_name', 'value_name']],
  ['items2dict', ['key_name', 'value_name']],
]);

/** Filters that may be given a mapping as a value: one with another key than those of their parameters is one. */
const TAKES_MAPPINGS: ReadonlySet<string> = new Set(['ternary']);

/** What was given by name (minijinja hands it over as a last mapping) in its place; undefined takes its default. */
function inPlace(name: string, given: readonly PythonValue[]): readonly PythonValue[] {
  const names = PARAMETERS.get(name);
  const last = given.at(-1);
  const named = last === undefined ? [] : entries(last);
  if (names === undefined || named.length === 0 || isList(last ?? null)) return given;
  if (TAKES_MAPPINGS.has(name) && !named.every(([key]) => names.includes(key))) return given;
  const places = given.slice(0, -1) as (PythonValue | undefined)[];
  for (const [key, value] of named) {
    const place = names.indexOf(key);
    if (place < 0) throw new Error(`has no parameter '${key}'; it has ${names.join(', ')}`);
    places[place] = value;
  }
  return Array.from(places) as readonly PythonValue[];
}

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
    return filter(value, ...inPlace(name, options));
  } catch (error) {
    throw asTemplateError(name, error);
  }
}

function asTemplateError(name: string, error: unknown): Error {
  if (error instanceof TemplateError || error instanceof ProvisionError) return error;
  return new TemplateError('wrong', `filter ${name}: ${error instanceof Error ? error.message : String(error)}`);
}

/** Rows that a template may make of a few short lists. */
const MAX_ROWS = 100_000;

function product(lists: readonly (readonly PythonValue[])[]): readonly (readonly PythonValue[])[] {
  if (lists.reduce((rows, list) => rows * list.length, 1) > MAX_ROWS)
    throw new Error(`gives more than ${MAX_ROWS} rows`);
  return lists.reduce<readonly (readonly PythonValue[])[]>(
    (rows, list) => rows.flatMap((row) => list.map((item) => [...row, item])),
    [[]],
  );
}

function zipped(lists: readonly (readonly PythonValue[])[]): readonly PythonValue[] {
  const length = Math.min(...lists.map((list) => list.length));
  return Array.from({ length }, (_, index) => lists.map((list) => list[index] ?? null));
}
