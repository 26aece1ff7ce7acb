import { stripVTControlCharacters } from 'node:util';

/**
 * What must not reach a terminal as it is: C0 and C1 controls, and the marks that reorder text, with which a file on a
 * host could show something else than it holds (CVE-2021-42574, "Trojan Source").
 */
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function visible(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code); // the picture of a control character: ␛
  return code === 0x7f ? '\u2421' : '\uFFFD';
}

/** One line that comes from a host or a file, safe for a terminal: control characters become visible. Tabs stay. */
export function printable(line: string): string {
  return line.replaceAll(UNSAFE, visible);
}

/** What a command printed, as lines that are safe for a terminal: without its colours, cursor moves and empty ends. */
export function outputLines(text: string): string[] {
  const lines = stripVTControlCharacters(text).split(/\r\n|\r|\n/);
  return lines.map((line) => printable(line).trimEnd()).filter((line) => line !== '');
}

/** Code points that take no column, and those that take two (Unicode TR11, its large blocks). */
const ZERO_WIDTH = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u;
const TWO_WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})$/u;

function widthOf(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  return TWO_WIDE.test(character) ? 2 : 1;
}

/** A line cut to a number of terminal columns, with `…` where it was cut. The line holds no escape sequence. */
export function fit(line: string, columns: number): string {
  let width = 0;
  let fitting = '';
  for (const character of line.replaceAll('\t', ' ')) {
    const next = width + widthOf(character);
    if (next > columns) return `${trimToWidth(fitting, columns - 1)}…`;
    width = next;
    fitting += character;
  }
  return fitting;
}

function trimToWidth(text: string, columns: number): string {
  let width = 0;
  let fitting = '';
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    fitting += character;
  }
  return fitting;
}
