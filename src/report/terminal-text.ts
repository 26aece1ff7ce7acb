import { stripVTControlCharacters } from 'node:util';

/**
 * What must not reach a terminal as it is: C0 and C1 controls, and the marks that reorder text, with which a file on a
 * host could show something else than it holds (CVE-2021-42574, "Trojan Source"). Tabs are no harm.
 */
const UNSAFE =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Nobody reads a longer line on a terminal. In characters. */
const LONGEST_LINE = 4096;
/** Of a command's output, what is looked at for a screen, in characters. */
const LONGEST_OUTPUT = 64 * 1024;

function visible(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code); // the picture of a control character: ␛
  return code === 0x7f ? '\u2421' : '\uFFFD';
}

/** A text cut to a number of characters, with how many are left out. */
export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} more characters)`;
}

/**
 * One line that comes from a host or a file, safe for a terminal: control characters become visible, a line break too,
 * so that nothing can pose as a line of ours. Tabs stay. What is longer than anyone reads is cut.
 */
export function printable(line: string): string {
  return clip(line, LONGEST_LINE).replaceAll(UNSAFE, visible);
}

/** What a command printed, as lines that are safe for a terminal: without its colours, cursor moves and empty ends. */
export function outputLines(text: string): string[] {
  const lines = stripVTControlCharacters(clip(text, LONGEST_OUTPUT)).split(/\r\n|\r|\n/);
  return lines.map((line) => printable(line).trimEnd()).filter((line) => line !== '');
}

/** What moves, and for how long it has been so, in one line: the text is cut for the time. @param columns of the line */
export function fitWithTime(text: string, time: string, columns: number): string {
  const end = time === '' ? '' : ` (${time})`;
  return `${fit(text, columns - columnsOf(end))}${end}`;
}

/** The colours of style.ts (SGR 1, 2, 22, 31–33, 36, 39): they change nothing but the look of what follows. */
const OUR_COLOURS = /\u001b\[(?:0|1|2|22|31|32|33|36|39)m/;

/** What this program made of its lines and of others' texts: lines and colours stay, all else becomes visible. */
export function printableText(text: string): string {
  return text
    .split(new RegExp(`(${OUR_COLOURS.source})`))
    .map((part, index) => (index % 2 === 1 ? part : part.split('\n').map(makeVisible).join('\n')))
    .join('');
}

/** A text of several lines, each as {@link printable} makes it, and none cut. Colours become visible, too. */
export function visibleText(text: string): string {
  return text.split('\n').map(makeVisible).join('\n');
}

function makeVisible(line: string): string {
  return line.replaceAll(UNSAFE, visible);
}

/** JSON that is safe to look at on a terminal, and means the same: what is unsafe is escaped. */
export function printableJson(value: unknown, indent?: number): string {
  return printableJsonText(JSON.stringify(value, undefined, indent));
}

/** A text of JSON, made safe as {@link printableJson} makes one. */
export function printableJsonText(json: string): string {
  return json.replaceAll(UNSAFE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Code points that take no column, and those that take two (Unicode TR11, its large blocks). */
const ZERO_WIDTH = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u;
const TWO_WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})$/u;

function widthOf(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  return TWO_WIDE.test(character) ? 2 : 1;
}

/** How many columns of a terminal a line takes, whatever its colours. */
export function columnsOf(line: string): number {
  return Array.from(stripVTControlCharacters(line)).reduce((sum, character) => sum + widthOf(character), 0);
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
