import { counted } from '../model/counted.js';
import { didYouMean } from '../model/did-you-mean.js';
import { InputError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import { parseAddress } from './host-ranges.js';

/** What patterns are matched against. */
type Names = Pick<Inventory, 'hosts' | 'groups'>;

/** `name[0]`, `name[-1]`, `name[1:2]`, `name[1:]` (ansible/inventory/manager.py, PATTERN_WITH_SUBSCRIPT). */
const SUBSCRIPT = /^(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]$/;

/**
 * The hosts that a pattern names, in inventory order, as Ansible's `hosts:` and `--limit`: host and group names, `all`,
 * wildcards, `~regex`, `group[0]`, `group[0:1]`, joined by `,` or `:`; `&x` keeps only what is also in x, `!x` takes x away.
 * @throws InputError for a pattern that matches no host and no group, with the likely name
 */
export function selectHosts(inventory: Names, pattern: string): readonly string[] {
  const patterns = splitPattern(pattern);
  const plain = patterns.filter((part) => !/^[!&]/.test(part));
  const others = (mark: string): readonly string[] => patterns.filter((part) => part.startsWith(mark));
  let hosts = new Set<string>();
  for (const part of plain.length === 0 ? ['all'] : plain)
    for (const name of matchOne(inventory, part)) hosts.add(name);
  for (const part of others('&')) {
    const kept = new Set(matchOne(inventory, part.slice(1)));
    hosts = new Set([...hosts].filter((name) => kept.has(name)));
  }
  for (const part of others('!')) for (const name of matchOne(inventory, part.slice(1))) hosts.delete(name);
  return [...hosts];
}

/** Splits at `,`, or at `:` where that is no part of a range, a port or an IPv6 address. */
function splitPattern(pattern: string): readonly string[] {
  const parts =
    pattern.includes(',') || parseAddress(pattern) !== undefined
      ? pattern.split(',')
      : (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function matchOne(inventory: Names, pattern: string): readonly string[] {
  if (inventory.hosts.has(pattern)) return [pattern];
  const match = pattern.startsWith('~') ? null : SUBSCRIPT.exec(pattern);
  const expression = match?.[1] ?? pattern;
  const hosts = matchNames(inventory, expression);
  if (match === null) return hosts;
  const [, , index, from, to] = match;
  // As Ansible: `[2:0]` is `[2]`, for an end of 0 is none to Python.
  const only = index ?? (Number(to) === 0 && to !== '' ? from : undefined);
  if (only === undefined) return hosts.slice(Number(from), to === '' || to === undefined ? undefined : Number(to) + 1);
  const host = hosts.at(Number(only));
  if (host === undefined) throw unknownPattern(pattern, `'${expression}' has only ${counted(hosts.length, 'host')}`);
  return [host];
}

function matchNames(inventory: Names, pattern: string): readonly string[] {
  const matches = matcher(pattern);
  const groups = [...inventory.groups].filter(([name]) => matches(name));
  // A host of several groups is counted in each, as Ansible counts it: `e*[3]`.
  const found = groups.flatMap(([, hosts]) => hosts);
  // Ansible looks at host names too when no group matched, or the pattern is more than a word.
  if (groups.length === 0 || pattern.startsWith('~') || /[.?*[]/.test(pattern)) {
    for (const name of inventory.hosts.keys()) if (matches(name)) found.push(name);
  }
  if (groups.length === 0 && found.length === 0) {
    const near = didYouMean(pattern, [...inventory.groups.keys(), ...inventory.hosts.keys()]);
    throw unknownPattern(pattern, `no host and no group matches${near}`);
  }
  return found;
}

function unknownPattern(pattern: string, message: string): InputError {
  const problem = { severity: 'error' as const, subject: `host pattern '${pattern}'`, message };
  return new InputError([problem], 'list what there is: provision inventory FILE');
}

/** Matches from the start: a regular expression as Python's `re.match`, else a whole shell pattern as `fnmatch`. */
function matcher(pattern: string): (name: string) => boolean {
  const source = pattern.startsWith('~') ? `^(?:${pattern.slice(1)})` : globSource(pattern);
  try {
    const expression = new RegExp(source, 'u');
    return (name) => expression.test(name);
  } catch (error) {
    throw unknownPattern(pattern, `is not a regular expression: ${error instanceof Error ? error.message : ''}`);
  }
}

function globSource(pattern: string): string {
  const body = pattern.replace(/\*|\?|\[!?\]?[^\]]*\]|[^]/gu, (token) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    if (token.length > 2 && token.startsWith('[')) {
      const set = token
        .slice(1, -1)
        .replace(/^!/, '^')
        .replace(/[\\[\]]/g, '\\$&');
      return `[${set}]`;
    }
    return token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return `^${body}$`;
}
