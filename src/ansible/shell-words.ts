/** One word of a line. `column` counts from 1. */
export interface Word {
  readonly text: string;
  readonly column: number;
}

/**
 * Splits a line as Python's `shlex.split(line, comments=True)` does, which Ansible's INI plugin uses for host lines:
 * quotes group, `\` escapes outside quotes and before `"` and `\` within double quotes, `#` starts a comment even inside
 * a word.
 * @throws SyntaxError when a quote or escape is not closed
 */
export function splitWords(line: string): readonly Word[] {
  const words: Word[] = [];
  let word: { text: string; column: number } | undefined;
  let quote = '';
  for (let index = 0; index < line.length; index += 1) {
    const char = line.charAt(index);
    if (quote === '' && char === '#') break;
    if (quote === '' && ' \t\r\n'.includes(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= { text: '', column: index + 1 };
    if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === '\\' && quote !== "'") {
      index += 1;
      if (index >= line.length) throw new SyntaxError('No escaped character');
      const next = line.charAt(index);
      word.text += quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next;
    } else word.text += char;
  }
  if (quote !== '') throw new SyntaxError('No closing quotation');
  if (word !== undefined) words.push(word);
  return words;
}
