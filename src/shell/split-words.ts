/**
 * Splits a text into words as Python's `shlex.split` does, by which Ansible splits `ansible_ssh_common_args` and commands: blanks separate,
 * quotes and backslashes group. Unlike in a shell, a backslash in double quotes stays before `$` and a backtick. Nothing is expanded.
 * @throws Error when a quote is not closed
 */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  const token = /\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/gy;
  let word: string | undefined;
  let end = 0;
  for (const match of text.matchAll(token)) {
    end = match.index + match[0].length;
    const [, single, double, escaped, plain] = match;
    const part = single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain;
    if (part !== undefined) word = (word ?? '') + part;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (end !== text.length) throw new Error(`the quote at character ${end + 1} is not closed: ${text}`);
  return word === undefined ? words : [...words, word];
}
