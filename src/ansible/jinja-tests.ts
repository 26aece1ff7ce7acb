import { isList, isMapping, type PythonValue } from '../model/python-value.js';
import { flagsOf, regex } from './jinja-regex-filters.js';
import { has, isTrue, iterated } from './python-builtins.js';
import { pythonStr } from './python-text.js';

function compareVersions(a: string, b: string): number {
  const parts = (version: string): readonly string[] => version.replace(/^v/, '').split(/[.+-]/);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? '0').localeCompare(right[index] ?? '0', 'en', { numeric: true });
    if (difference !== 0) return difference;
  }
  return 0;
}

/** By semver.org: a pre-release is before its release, and what is built has no order. */
function compareSemantic(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => {
    const [release = '', ...rest] = (version.split('+', 1)[0] ?? '').split('-');
    return { release, before: rest.join('-') };
  });
  const order = compareVersions(left?.release ?? '', right?.release ?? '');
  if (order !== 0 || left?.before === right?.before) return order;
  if (left?.before === '') return 1;
  return right?.before === '' ? -1 : compareVersions(left?.before ?? '', right?.before ?? '');
}

function versionTest(
  value: PythonValue,
  other: PythonValue = '',
  operator: PythonValue = '==',
  ...[, type = null]: readonly PythonValue[]
): boolean {
  const compare = /^semver$|^semantic$/.test(pythonStr(type)) ? compareSemantic : compareVersions;
  const order = compare(pythonStr(value), pythonStr(other));
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
  const result = Object.hasOwn(operators, pythonStr(operator)) ? operators[pythonStr(operator)] : undefined;
  if (result === undefined) throw new Error(`unknown comparison '${pythonStr(operator)}'`);
  return result;
}

function flags([ignorecase = false, multiline = false]: readonly PythonValue[]): string {
  return flagsOf(ignorecase, multiline).replace('g', '');
}

/** Ansible's tests that minijinja does not have or has otherwise. */
export const TESTS: Readonly<Record<string, (value: PythonValue, ...args: readonly PythonValue[]) => boolean>> = {
  match: (value, pattern = '', ...how) => regex(`^(?:${pythonStr(pattern)})`, flags(how)).test(pythonStr(value)),
  search: (value, pattern = '', ...how) => regex(pattern, flags(how)).test(pythonStr(value)),
  regex: (value, pattern = '', ...how) => regex(pattern, flags(how)).test(pythonStr(value)),
  version: versionTest,
  version_compare: versionTest,
  subset: (value, other = []) => iterated(value).every((item) => has(other, item)),
  superset: (value, other = []) => iterated(other).every((item) => has(value, item)),
  contains: (value, item = null) => (typeof value === 'string' ? value.includes(pythonStr(item)) : has(value, item)),
  all: (value) => iterated(value).every(isTrue),
  any: (value) => iterated(value).some(isTrue),
  // To minijinja what is computed, as `a + b`, is none.
  sequence: (value) => typeof value === 'string' || isList(value) || isMapping(value),
  truthy: isTrue,
  falsy: (value) => !isTrue(value),
};
