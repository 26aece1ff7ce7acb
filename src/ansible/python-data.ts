import { Scalar } from 'yaml';
import { isList, numberText, type PythonValue, WholeFloat } from '../model/python-value.js';

/** How Python's `json.dumps` writes. */
export interface JsonStyle {
  /** Blanks a level; absent: on one line. */
  readonly indent?: number | undefined;
  readonly sortKeys?: boolean | undefined;
  /** Leaves characters beyond ASCII as they are. */
  readonly unicode?: boolean | undefined;
}

/** A value as Python's `json.dumps` writes it. */
export function pythonJson(value: PythonValue, style: JsonStyle = {}): string {
  return write(value, style, '\n');
}

function write(value: PythonValue, style: JsonStyle, margin: string): string {
  if (typeof value === 'string') return quoted(value, style);
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof WholeFloat)
    return jsonNumberText(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = style.indent === undefined ? '' : margin + ' '.repeat(style.indent);
  if (isList(value))
    return enclosed(
      '[',
      value.map((item) => write(item, style, inner)),
      ']',
      { style, margin, inner },
    );
  const entries = Object.entries(value);
  if (style.sortKeys === true) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = entries.map(([key, item]) => `${quoted(key, style)}: ${write(item, style, inner)}`);
  return enclosed('{', parts, '}', { style, margin, inner });
}

function enclosed(
  open: string,
  parts: readonly string[],
  close: string,
  { style, margin, inner }: { readonly style: JsonStyle; readonly margin: string; readonly inner: string },
): string {
  if (parts.length === 0) return open + close;
  if (style.indent === undefined) return open + parts.join(', ') + close;
  return open + inner + parts.join(`,${inner}`) + margin + close;
}

/** Python writes what JSON has no word for, too. */
function jsonNumberText(value: number | bigint | WholeFloat): string {
  const text = numberText(value);
  return { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' }[text] ?? text;
}

function quoted(text: string, { unicode }: JsonStyle): string {
  const json = JSON.stringify(text);
  if (unicode === true) return json;
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What the library is to write, whole floats as such. */
export function yamlNode(value: PythonValue): unknown {
  if (value instanceof WholeFloat) {
    const node = new Scalar(value.value);
    node.minFractionDigits = 1;
    return node;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(yamlNode);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, yamlNode(item)]));
}
