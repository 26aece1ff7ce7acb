/** One fact's part of a batch: a script, and the exit status and output that came back for it. */
export interface BatchAnswer {
  readonly status: number;
  readonly stdout: string;
}

/**
 * Joins scripts into one, each in a subshell of its own with empty stdin, so that none can end, starve or rename the
 * others. The answers are framed by a token that no output holds.
 * @param scripts POSIX shell scripts that read no stdin
 * @param token random, letters and digits
 */
export function joinScripts(scripts: readonly string[], token: string): string {
  const framed = scripts.map((script) => `(\n${script}\n) </dev/null\nprintf '\\n%s %d\\n' ${token} $?`);
  return ['export LC_ALL=C', ...framed].join('\n');
}

/**
 * Splits what a joined script printed into one answer a script, in the same order.
 * @throws Error when an answer is missing: the shell ended early
 */
export function splitAnswers(stdout: string, token: string, count: number): readonly BatchAnswer[] {
  const parts = stdout.split(new RegExp(`\\n${token} (\\d+)\\n`));
  const answers = Array.from({ length: count }, (_, index) => ({
    stdout: parts[index * 2] ?? '',
    status: Number(parts[index * 2 + 1] ?? Number.NaN),
  }));
  const missing = answers.findIndex((answer) => Number.isNaN(answer.status));
  if (missing >= 0) throw new Error(`the shell ended before answer ${missing + 1} of ${count}`);
  return answers;
}
