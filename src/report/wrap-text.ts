import { columnsOf } from './terminal-text.js';

/** From here on a line is a command: pasted, it must still be one line. */
const COMMAND =
  /(?:^|(?<=[\s(`]))(?:provision|ssh|sudo|chmod|openssl|journalctl|systemctl|kubectl|kubeadm|etcdctl|curl|\$) \S.*$/;

/**
 * Breaks long lines between words, so that a terminal does not break them within; in prose a word that fits on no line, a list
 * of URLs or a path, between its parts. What may be pasted is left to the terminal, which copies it whole: commands, values in
 * quotes or brackets, lines of a diff. What follows a line's beginning is indented below it.
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
  const isDiff = DIFF.test(line);
  const words = isDiff ? wordsOf(line) : wordsOf(line).flatMap((each) => partsOf(each, room));
  for (const { gap, word } of words) {
    // A mark stays with what it marks; and of a file, a line that fits nowhere is as it is.
    const isInVain = isDiff && columnsOf(word) > room;
    if (current.trim().length > 1 && !isInVain && columnsOf(current + gap + word) > columns) {
      lines.push(current);
      current = hanging + word;
    } else {
      current += gap + word;
    }
  }
  return [...lines, current];
}

/** A line of a diff: one of a file that is shown, which may be copied. */
const DIFF = /^\s*(?:\u001B\[[\d;]*m)*[+-]/;

/** A part of a line that is not broken, and the blanks before it. */
interface Word {
  readonly gap: string;
  readonly word: string;
  /** It is never broken: a command, or a value in quotes or brackets. */
  readonly isWhole: boolean;
}

/** Where a word that is wider than a line is broken: between the values of a list, else between the names of a path. */
const JOINTS: readonly RegExp[] = [/[^,=]*[,=]+|[^,=]+$/g, /[^/]*\/+|[^/]+$/g];

/** A longer word is no list that a person reads. */
const LONGEST_LIST = 4096;

/** A word, or the parts of one for which there is no room on any line. */
function partsOf(whole: Word, room: number, joints = JOINTS): readonly Word[] {
  const [joint, ...others] = joints;
  const { gap: before, word: text, isWhole } = whole;
  if (isWhole || joint === undefined || text.length > LONGEST_LIST || columnsOf(text) <= room) return [whole];
  return (text.match(joint) ?? []).flatMap((word, index) =>
    partsOf({ gap: index === 0 ? before : '', word, isWhole: false }, room, others),
  );
}

/** Each word with the blanks before it; a command is one word. */
function wordsOf(line: string): readonly Word[] {
  const at = line.search(COMMAND);
  const prose = at < 0 ? line : line.slice(0, at);
  // An apostrophe counts, too: then a word too few is broken, and none too many.
  const firstQuote = prose.search(/['"`[({]/);
  const words = [...prose.matchAll(/( *)([^ ]+)/g)].map(({ index, 0: all, 1: gap = '', 2: word = '' }) => ({
    ...{ gap, word },
    isWhole: firstQuote >= 0 && index + all.length > firstQuote,
  }));
  if (at < 0) return words;
  const [, gap = ''] = /( *)$/.exec(prose) ?? [];
  return [...words, { gap, word: line.slice(at), isWhole: true }];
}
