import type { Environment } from 'minijinja-js';
import { stringify } from 'yaml';
import { parseBoundedYaml } from '../model/bounded-yaml.js';
import { ProvisionError } from '../model/errors.js';
import type { Json } from '../model/json.js';
import { HOSTVARS } from './jinja-source.js';
import { toJson } from './json-values.js';
import { pythonText } from './python-text.js';
import { TemplateError } from './template-error.js';

/** A filter or test: the value, then its positional arguments; keyword arguments come as a last object. */
type Filter = (value: Json, ...args: readonly Json[]) => Json;

/**
 * Ansible's filters and tests that minijinja lacks or has otherwise, as far as inventories and the shipped templates use
 * them. Any other filter is an error when a variable that needs it is used.
 * @param fail takes what a filter threw: an exception inside WASM would tear it down
 * @param lookUp reads a variable, for `extract` with hostvars
 */
export function addAnsibleFilters(
  environment: Environment,
  fail: (error: unknown) => void,
  lookUp: (path: readonly (string | number)[]) => Json,
): void {
  const guard =
    (name: string, filter: Filter) =>
    (...args: unknown[]) => {
      try {
        const [value = null, ...rest] = args.map(toJson);
        return filter(value, ...rest);
      } catch (error) {
        const isTold = error instanceof TemplateError || error instanceof ProvisionError;
        const message = error instanceof Error ? error.message : String(error);
        fail(isTold ? error : new TemplateError('wrong', `filter ${name}: ${message}`));
        return '';
      }
    };
  for (const [name, filter] of Object.entries(FILTERS)) environment.addFilter(name, guard(name, filter));
  for (const [name, test] of Object.entries(TESTS)) environment.addTest(name, guard(name, test));
  environment.addFilter(
    'extract',
    guard('extract', (key, container, ...more) => extract(key, container, more, lookUp)),
  );
  environment.addFilter('__text', (value: unknown) => pythonText(toJson(value)));
}

/** The filter `extract`: a member of a container, and on into it. */
function extract(
  key: Json,
  container: Json,
  more: readonly Json[],
  lookUp: (path: readonly (string | number)[]) => Json,
): Json {
  const path = [key, ...more.flatMap(items)];
  if (container !== HOSTVARS) return path.reduce<Json>(member, container);
  return lookUp(['hostvars', ...path.map((step) => (typeof step === 'number' ? step : text(step)))]);
}

function member(container: Json, key: Json): Json {
  if (typeof container !== 'object' || container === null) return null;
  return (container as Readonly<Record<string, Json>>)[text(key)] ?? null;
}

const text = (value: Json): string => pythonText(value);
const items = (value: Json): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [value]);
const entries = (value: Json): [string, Json][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);
const has = (list: Json, item: Json): boolean => items(list).some((other) => same(other, item));

/** ansible/plugins/filter/core.py, to_bool. */
function toBool(value: Json): boolean {
  return typeof value === 'string'
    ? ['yes', 'on', '1', 'true'].includes(value.toLowerCase())
    : value === true || value === 1;
}

/** A Python regular expression; the syntax in use is the same but for named groups and inline flags. */
function regex(source: Json, flags: string): RegExp {
  const inline = /^\(\?([imsx]+)\)/.exec(text(source));
  const body = text(source)
    .slice(inline?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\Z', '$');
  return new RegExp(body, flags + (inline?.[1] ?? '').replace('x', ''));
}

function combine(value: Json, others: readonly Json[]): Json {
  const options = others.at(-1);
  const recursive = entries(options ?? null).length === 1 && member(options ?? null, 'recursive') === true;
  return (recursive ? others.slice(0, -1) : others).reduce<Json>(
    (left, right) => merge(left, right, recursive ? 'deep' : 'flat'),
    value,
  );
}

function merge(left: Json, right: Json, how: 'deep' | 'flat'): Json {
  const isDict = (value: Json): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isDict(left) || !isDict(right)) return right;
  const merged = new Map(entries(left));
  for (const [key, item] of entries(right)) {
    merged.set(key, how === 'deep' ? merge(merged.get(key) ?? null, item, how) : item);
  }
  return Object.fromEntries(merged);
}

function flatten(value: Json): readonly Json[] {
  return items(value).flatMap((item) => (Array.isArray(item) ? flatten(item) : [item]));
}

/** jinja2's int: a text that is no number gives the default, 0. */
function toInt(value: Json, fallback: Json = 0, base: Json = 10): Json {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return Math.trunc(value);
  const number =
    Number(base) === 10 ? Number(value === '' ? Number.NaN : value) : Number.parseInt(text(value), Number(base));
  return Number.isNaN(number) ? fallback : Math.trunc(number);
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

function versionTest(value: Json, other: Json = '', operator: Json = '=='): boolean {
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

function fromYaml(source: string): Json {
  const document = parseBoundedYaml(source);
  if (document.errors[0] !== undefined) throw document.errors[0];
  return toJson(document.toJS());
}

const FILTERS: Readonly<Record<string, Filter>> = {
  bool: toBool,
  ternary: (value, yes = null, no = null, none = no) => (value === null ? none : toTruth(value) ? yes : no),
  int: toInt,
  string: text,
  join: (value, separator = '', attribute = null) =>
    items(value)
      .map((item) => text(attribute === null ? item : member(item, attribute)))
      .join(text(separator)),
  combine: (value, ...others) => combine(value, others),
  to_json: (value) => JSON.stringify(value),
  to_nice_json: (value) => JSON.stringify(value, null, 4),
  from_json: (value) => JSON.parse(text(value)) as Json,
  to_yaml: (value) => stringify(value),
  to_nice_yaml: (value, options = null) => stringify(value, { indent: Number(member(options, 'indent') ?? 4) }),
  from_yaml: (value) => fromYaml(text(value)),
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
function toTruth(value: Json): boolean {
  return typeof value === 'object' && value !== null ? entries(value).length > 0 : Boolean(value);
}

function unique(list: readonly Json[]): readonly Json[] {
  return list.filter((item, index) => list.findIndex((other) => same(other, item)) === index);
}
