import { floatOf, integerOf, WholeFloat } from '../model/python-value.js';
import type { RawValue } from './raw-value.js';

/** Deeper nesting than this is not a variable. Python's own parser stops at 200. */
const MAX_DEPTH = 100;

const NUMBER =
  /(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:[0-9](?:_?[0-9])*)?\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?|[0-9](?:_?[0-9])*\.?(?:[eE][-+]?[0-9](?:_?[0-9])*)?)/y;
const STRING =
  /([uU]|[rR][bB]?|[bB][rR]?)?('''[^\\]*?(?:\\.[^\\]*?)*'''|"""[^\\]*?(?:\\.[^\\]*?)*"""|''(?!')|""(?!")|'(?:[^'\\]|\\.)+'|"(?:[^"\\]|\\.)+")/sy;
const KEYWORD = /(True|False|None)(?![\p{L}\p{N}_])/uy;
const SPACE = /(?:[ \t\f\r\n]|#.*)*/y;

/** Where the reader is. */
interface Cursor {
  readonly text: string;
  at: number;
  depth: number;
}

class NotALiteral extends Error {}

/**
 * Python's `ast.literal_eval`, by which Ansible's INI plugin gives types to values: numbers, quoted texts, True, False,
 * None, lists, tuples (as lists), dicts. A comment after a literal is dropped, as Python does.
 * @returns undefined when the text is no literal, which Ansible then keeps as it is
 */
export function parsePythonLiteral(text: string): { readonly value: RawValue } | undefined {
  const cursor: Cursor = { text: text.replace(/^[ \t]+/, ''), at: 0, depth: 0 };
  try {
    const first = readValue(cursor);
    const value = skip(cursor, ',') ? [first, ...readItems(cursor, '', readValue)] : first;
    readMatch(cursor, SPACE);
    return cursor.at === cursor.text.length ? { value } : undefined;
  } catch (error) {
    if (error instanceof NotALiteral) return undefined;
    throw error;
  }
}

function readMatch(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match !== null) cursor.at += match[0].length;
  return match;
}

function skip(cursor: Cursor, token: string): boolean {
  readMatch(cursor, SPACE);
  if (!cursor.text.startsWith(token, cursor.at)) return false;
  cursor.at += token.length;
  return true;
}

function expectToken(cursor: Cursor, token: string): void {
  if (!skip(cursor, token)) throw new NotALiteral();
}

function readValue(cursor: Cursor): RawValue {
  cursor.depth += 1;
  if (cursor.depth > MAX_DEPTH) throw new NotALiteral();
  const value = readAtom(cursor);
  cursor.depth -= 1;
  return value;
}

function readAtom(cursor: Cursor): RawValue {
  if (skip(cursor, '[')) return readItems(cursor, ']', readValue);
  if (skip(cursor, '(')) return readParenthesised(cursor);
  if (skip(cursor, '{')) return readBraced(cursor);
  if (skip(cursor, '-')) return negative(readOperand(cursor));
  if (skip(cursor, '+')) return readOperand(cursor);
  const keyword = readMatch(cursor, KEYWORD);
  if (keyword !== null) return keyword[1] === 'None' ? null : keyword[1] === 'True';
  return readStrings(cursor) ?? readNumber(cursor);
}

/** Items up to the closing token; a trailing comma is allowed. An empty closing token means the end of the text. */
function readItems<T>(cursor: Cursor, close: string, read: (cursor: Cursor) => T): T[] {
  const items: T[] = [];
  while (!closes(cursor, close)) {
    items.push(read(cursor));
    if (!skip(cursor, ',')) {
      if (!closes(cursor, close)) throw new NotALiteral();
      break;
    }
  }
  return items;
}

function closes(cursor: Cursor, close: string): boolean {
  if (close !== '') return skip(cursor, close);
  readMatch(cursor, SPACE);
  return cursor.at === cursor.text.length;
}

function readParenthesised(cursor: Cursor): RawValue {
  if (skip(cursor, ')')) return [];
  const first = readValue(cursor);
  if (skip(cursor, ')')) return first;
  expectToken(cursor, ',');
  return [first, ...readItems(cursor, ')', readValue)];
}

/** A dict, or a set, which becomes a list. */
function readBraced(cursor: Cursor): RawValue {
  if (skip(cursor, '}')) return new Map();
  const first = readValue(cursor);
  if (!skip(cursor, ':'))
    return skip(cursor, ',') ? [first, ...readItems(cursor, '}', readValue)] : closeSet(cursor, first);
  const entries: [RawValue, RawValue][] = [[first, readValue(cursor)]];
  if (skip(cursor, ',')) entries.push(...readItems(cursor, '}', readPair));
  else expectToken(cursor, '}');
  return new Map(entries.map(([key, value]) => [pythonKey(key), value]));
}

function closeSet(cursor: Cursor, only: RawValue): RawValue {
  expectToken(cursor, '}');
  return [only];
}

function readPair(cursor: Cursor): [RawValue, RawValue] {
  const key = readValue(cursor);
  expectToken(cursor, ':');
  return [key, readValue(cursor)];
}

/** Keys as Python's json module writes them. */
function pythonKey(key: RawValue): string {
  if (typeof key === 'object' && key !== null && !(key instanceof WholeFloat)) throw new NotALiteral();
  return String(key);
}

function negative(value: number | bigint | WholeFloat): number | bigint | WholeFloat {
  return value instanceof WholeFloat ? new WholeFloat(-value.value) : value === 0 ? 0 : -value;
}

/** What a sign stands before: a number, in as many parentheses as one likes. */
function readOperand(cursor: Cursor): number | bigint | WholeFloat {
  let open = 0;
  while (skip(cursor, '(')) open += 1;
  const value = readNumber(cursor);
  for (; open > 0; open -= 1) expectToken(cursor, ')');
  return value;
}

function readNumber(cursor: Cursor): number | bigint | WholeFloat {
  readMatch(cursor, SPACE);
  const text = readMatch(cursor, NUMBER)?.[0].replaceAll('_', '');
  const follower = cursor.text.charAt(cursor.at);
  // `010` is a syntax error to Python 3, and so stays a text; `1j` is complex.
  if (text === undefined || /^0+[1-9]\d*$/.test(text) || /[\p{L}\p{N}_.]/u.test(follower)) throw new NotALiteral();
  return /^(?:\d+|0[xob].*)$/i.test(text) ? integerOf(BigInt(text)) : floatOf(Number(text));
}

/** One or more adjacent quoted texts, all of them bytes or none; undefined when there is none. */
function readStrings(cursor: Cursor): string | undefined {
  let text: string | undefined;
  let kind: boolean | undefined;
  for (;;) {
    readMatch(cursor, SPACE);
    const match = readMatch(cursor, STRING);
    if (match === null) return text;
    const [, prefix = '', quoted = ''] = match;
    const isBytes = /b/i.test(prefix);
    if (kind !== undefined && kind !== isBytes) throw new NotALiteral();
    kind = isBytes;
    const width = /^(?:'''|""")/.test(quoted) ? 3 : 1;
    const body = quoted.slice(width, -width);
    text = (text ?? '') + (/r/i.test(prefix) ? body : unescape(body));
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\n': '',
};

function unescape(body: string): string {
  const escape = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([^]))/g;
  return body.replace(escape, (whole, ...groups: (string | undefined)[]) => {
    const [hex, short, long, octal, simple] = groups;
    const code = hex ?? short ?? long;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    return SIMPLE_ESCAPES[simple ?? ''] ?? whole;
  });
}
