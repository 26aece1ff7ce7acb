import { columnsOf } from './terminal-text.js';

/** From here on a line is a command: pasted, it must still be one line. */
const COMMAND = /(?:^|(?<=[\s(`]))(?:provision|ssh|sudo|chmod|openssl|journalctl|\$) \S.*$/;

/**
 * Breaks long lines between words, so that a terminal does not break them within; a word that fits on no line, a list of URLs
 * or a path, between its parts. What follows a line's beginning is
 * indented below it. A command is never broken.
 * @param columns of the terminal
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => (columnsOf(line) <= columns ? [line] : wrapLine(line, columns)))
    .join('\n');
}

function wrapLine(line: string, columns: number): readonly string[] {
  const [indent = ''] = /^ */.exec(line) ?? [];
  const hanging = ' '.repeat(Math.min(indent.length + 2, Math.floor(columns / 2)));
  const lines: string[] = [];
  let current = '';
  const room = columns - hanging.length;
  for (const { gap, word } of wordsOf(line).flatMap((each) => partsOf(each, room))) {
    // A mark stays with what it marks.
    if (current.trim().length > 1 && columnsOf(current + gap + word) > columns) {
      lines.push(current);
      current = hanging + word;
    } else {
      current += gap + word;
    }
  }
  return [...lines, current];
}

/** A part of a line that is not broken, and the blanks before it. */
interface Word {
  readonly gap: string;
  readonly word: string;
  readonly isCommand: boolean;
}

/** Where a word that is wider than a line is broken: between the values of a list, else between the names of a path. */
const JOINTS: readonly RegExp[] = [/[^,=]*[,=]+|[^,=]+$/g, /[^/]*\/+|[^/]+$/g];

/** A word, or the parts of one for which there is no room on any line. */
function partsOf(whole: Word, room: number, joints = JOINTS): readonly Word[] {
  const [joint, ...others] = joints;
  if (whole.isCommand || joint === undefined || columnsOf(whole.word) <= room) return [whole];
  const parts = whole.word.match(joint) ?? [];
  return parts.flatMap((word, index) =>
    partsOf({ gap: index === 0 ? whole.gap : '', word, isCommand: false }, room, others),
  );
}

/** Each word with the blanks before it; a command is one word. */
function wordsOf(line: string): readonly Word[] {
  const at = line.search(COMMAND);
  const prose = [...(at < 0 ? line : line.slice(0, at)).matchAll(/( *)([^ ]+)/g)].map(([, gap = '', word = '']) => ({
    ...{ gap, word },
    isCommand: false,
  }));
  if (at < 0) return prose;
  const [, gap = ''] = /( *)$/.exec(line.slice(0, at)) ?? [];
  return [...prose, { gap, word: line.slice(at), isCommand: true }];
}
