import { columnsOf } from './terminal-text.js';

/** From here on a line is a command: pasted, it must still be one line. */
const COMMAND = /(?:^|(?<=[\s(`]))(?:provision|ssh|sudo|chmod|openssl|journalctl|\$) \S.*$/;

/**
 * Breaks long lines between words, so that a terminal does not break them within. What follows a line's beginning is
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
  for (const [, gap = '', word = ''] of wordsOf(line)) {
    if (current.trim() !== '' && columnsOf(current + gap + word) > columns) {
      lines.push(current);
      current = hanging + word;
    } else {
      current += gap + word;
    }
  }
  return [...lines, current];
}

/** Each word with the blanks before it; a command is one word. */
function wordsOf(line: string): readonly RegExpExecArray[] {
  const at = line.search(COMMAND);
  const prose = [...(at < 0 ? line : line.slice(0, at)).matchAll(/( *)([^ ]+)/g)];
  if (at < 0) return prose;
  const [, gap = ''] = /( *)$/.exec(line.slice(0, at)) ?? [];
  const command = /^( *)(.*)$/.exec(gap + line.slice(at));
  return command === null ? prose : [...prose, command];
}
