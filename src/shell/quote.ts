/**
 * A text as one word of a POSIX shell command, whatever it holds.
 * @param text any text without NUL
 * @returns the text itself when it needs no quoting, else single-quoted
 */
export function quote(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
