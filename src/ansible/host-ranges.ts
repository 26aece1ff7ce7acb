/** More hosts than this from one pattern is a slip (`[1:1000000]`), not a cluster. */
const MAX_RANGE = 10_000;

/** What is said of a pattern that expands to nothing, as Ansible has it: without a word, its hosts would be missed late. */
export const NAMES_NO_HOST = 'names no host: a range begins at its smaller end';

/** A host pattern of an inventory, expanded. */
export interface ExpandedHosts {
  readonly names: readonly string[];
  readonly port: number | undefined;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

// ansible/parsing/utils/addresses.py. Only what its callers need: whether a text is a host with an optional port.
const BRACKETED_PORT = /^\[(.+)\]:([0-9]+)$/;
const PORT = /^((?:[^:[\]]|\[[^\]]*\])*):([0-9]+)$/;
const NUMERIC_RANGE = String.raw`\[(?:[0-9]+:[0-9]+)(?::[0-9]+)?\]`;
const HEX_RANGE = String.raw`\[(?:[0-9a-f]{1,4}:[0-9a-f]{1,4})(?::[0-9]+)?\]`;
const ANY_RANGE = String.raw`\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`;
const IPV4 = new RegExp(`^(?:(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5]|${NUMERIC_RANGE})(?:\\.|$)){4}(?<!\\.)$`, 'i');
const HEX = `(?:[0-9a-f]{1,4}|${HEX_RANGE})`;
const IPV6 = new RegExp(
  `^(?:(?:${HEX}:){7}${HEX}|(?=.*::)(?!.*::.*::)(?:${HEX}?:){1,7}(?:${HEX})?|::(?:ffff:)?[0-9.]+)$`,
  'i',
);
const LABEL = String.raw`(?:[\p{L}\p{N}_]|${ANY_RANGE})(?:[\p{L}\p{N}_-]|${ANY_RANGE})*(?<![_-])`;
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'iu');

/** Splits `host:port`; undefined when the text is no host with an optional port (a range counts as part of a host). */
export function parseAddress(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  let host = text;
  let port: number | undefined;
  for (const pattern of [BRACKETED_PORT, PORT]) {
    const match = pattern.exec(host);
    if (match !== null) {
      host = match[1] ?? '';
      port = Number(match[2]);
    }
  }
  return [IPV4, IPV6, HOSTNAME].some((pattern) => pattern.test(host)) ? { host, port } : undefined;
}

/**
 * Expands `etcd-[1:3]`, `[01:10:2]`, `[a:c]` and `host:2222`, as Ansible's inventory plugins do
 * (plugins/inventory/__init__.py, expand_hostname_range).
 * @throws RangeError with a message that says what is wrong with the range
 */
export function expandHostPattern(pattern: string): ExpandedHosts {
  const address = parseAddress(pattern) ?? { host: pattern, port: undefined };
  return {
    names: address.host.includes('[') ? expandRange(address.host, MAX_RANGE) : [address.host],
    port: address.port,
  };
}

function expandRange(pattern: string, room: number): readonly string[] {
  const match = /^([^[]*)\[([^\]]*)\](.*)$/s.exec(pattern);
  if (match === null) throw new RangeError(`'${pattern}' has a '[' without its ']'`);
  const [, head = '', range = '', tail = ''] = match;
  const names: string[] = [];
  for (const item of rangeItems(range)) {
    const name = `${head}${item}${tail}`;
    names.push(...(tail.includes('[') ? expandRange(name, room - names.length) : [name]));
    if (names.length > room) throw new RangeError(`'${pattern}' names more than ${MAX_RANGE} hosts`);
  }
  return names;
}

function* rangeItems(range: string): Generator<string> {
  const bounds = range.split(':');
  const [from, end = '', stepText = '1'] = bounds;
  const begin = from === undefined || from === '' ? '0' : from;
  if (bounds.length < 2 || bounds.length > 3)
    throw new RangeError(`'[${range}]': expected [begin:end] or [begin:end:step]`);
  if (end === '') throw new RangeError(`'[${range}]' has no end`);
  const step = wholeNumber(stepText, range);
  if (step < 1) throw new RangeError(`'[${range}]': the step must be 1 or more`);
  const width = begin.length > 1 && begin.startsWith('0') ? begin.length : 0;
  if (width > 0 && width !== end.length)
    throw new RangeError(`'[${range}]': begin and end must have the same number of digits`);
  if (begin.length === 1 && end.length === 1 && LETTERS.includes(begin) && LETTERS.includes(end)) {
    const last = LETTERS.indexOf(end);
    if (LETTERS.indexOf(begin) > last) throw new RangeError(`'[${range}]': begin comes after end`);
    for (let index = LETTERS.indexOf(begin); index <= last; index += step) yield LETTERS.charAt(index);
    return;
  }
  const last = wholeNumber(end, range);
  for (let number = wholeNumber(begin, range); number <= last; number += step)
    yield String(number).padStart(width, '0');
}

function wholeNumber(text: string, range: string): number {
  if (!/^[0-9]+$/.test(text)) throw new RangeError(`'[${range}]': '${text}' is neither a letter nor a whole number`);
  return Number(text);
}
