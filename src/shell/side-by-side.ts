/**
 * Lines that run commands at once, each in a shell of its own, and print what they print one after the other: a whole answer each,
 * without blank lines after it. Nothing is kept in a file: each waits in a pipe, or in the shell that reads it.
 * @param commands of the shell, which read no stdin
 */
export function sideBySide(commands: readonly string[]): string {
  const [first, ...others] = commands;
  if (first === undefined) return ':';
  if (others.length === 0) return `(\n${first}\n)`;
  return [
    `(\n${first}\n) | {`,
    `rest=$(\n${sideBySide(others)}\n) || :`,
    'cat',
    `[ -z "$rest" ] || printf '%s\\n' "$rest"`,
    '}',
  ].join('\n');
}
