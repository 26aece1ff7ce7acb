import { isMapping, type PythonValue } from '../model/python-value.js';
import { isTrue, member } from './python-builtins.js';
import { pythonStr } from './python-text.js';

/** A Python regular expression; the syntax in use is the same but for named groups and inline flags. */
export function regex(source: PythonValue, flags: string): RegExp {
  const inline = /^\(\?([ims]+)\)/.exec(pythonStr(source));
  const body = pythonStr(source)
    .slice(inline?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\Z', '$');
  return new RegExp(body, flags + (inline?.[1] ?? ''));
}

/** Flags of JavaScript for Ansible's parameters; `g` is always one of them. */
export function flagsOf(ignorecase: PythonValue, multiline: PythonValue): string {
  return `g${isTrue(ignorecase) ? 'i' : ''}${isTrue(multiline) ? 'm' : ''}`;
}

const orEmptyText = (group: string | undefined): string => group ?? '';

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['\\', '\\'],
]);

/** Python's `match.expand`: `\1` and `\g<name>` are what the groups have matched. @param found what `replace` hands to its function */
function expanded(replacement: string, found: readonly unknown[]): string {
  const last = found.at(-1);
  const named = typeof last === 'object' ? (last as Readonly<Record<string, string | undefined>>) : {};
  return replacement.replace(
    /\\(?:g<(\w+)>|(\d{1,2})|([^]))/g,
    (whole, name: string | undefined, number: string | undefined, escaped: string | undefined) => {
      if (escaped !== undefined) return ESCAPES.get(escaped) ?? whole;
      const group = number ?? name ?? '';
      const text = /^\d+$/.test(group) ? found[Number(group)] : named[group];
      return typeof text === 'string' ? text : '';
    },
  );
}

/** ansible/plugins/filter/core.py, regex_search: the match, or the groups that are asked for (`'\\1'`, `'\\g<name>'`); None where nothing matches. */
function searched(value: string, pattern: PythonValue, given: readonly PythonValue[]): PythonValue {
  const last = given.at(-1) ?? null;
  const isNamed = isMapping(last);
  const asked = isNamed ? given.slice(0, -1) : given;
  const flags = isNamed ? flagsOf(member(last, 'ignorecase'), member(last, 'multiline')) : '';
  const match = regex(pattern, flags.replace('g', '')).exec(value);
  if (match === null) return null;
  if (asked.length === 0) return match[0];
  return asked.map((group) => {
    const [, number, name = ''] = /^\\(?:(\d+)|g<(\S+)>)$/.exec(pythonStr(group)) ?? [];
    if (number === undefined && name === '')
      throw new Error(`'${pythonStr(group)}' names no group: '\\1', or '\\g<name>'`);
    return (number === undefined ? match.groups?.[name] : match[Number(number)]) ?? null;
  });
}

/** Ansible's filters that take a regular expression. */
export const REGEX_FILTERS: Readonly<
  Record<string, (value: PythonValue, ...args: readonly PythonValue[]) => PythonValue>
> = {
  regex_replace: (value, pattern = '', replacement = '', ignorecase = false, multiline = false) =>
    pythonStr(value).replace(regex(pattern, flagsOf(ignorecase, multiline)), (...found: unknown[]) =>
      expanded(pythonStr(replacement), found),
    ),
  regex_search: (value, pattern = '', ...given) => searched(pythonStr(value), pattern, given),
  regex_findall: (value, pattern = '', multiline = false, ignorecase = false) =>
    [...pythonStr(value).matchAll(regex(pattern, flagsOf(ignorecase, multiline)))].map(([whole, ...groups]) =>
      groups.length > 1 ? groups.map(orEmptyText) : (groups[0] ?? whole),
    ),
  regex_escape: (value) => pythonStr(value).replace(/[\\^$.*+?()[\]{}|-]/g, '\\$&'),
};
