/** One fact's part of a batch: a script, and the exit status and output that came back for it. */
export interface BatchAnswer {
  readonly status: number;
  readonly stdout: Uint8Array;
}

/** Where a look that was given a credential on its stdin finds it: {@link takeCredential}. */
export const RUN_CREDENTIAL = '/dev/fd/3';

/**
 * Lines before a joined script that read a certificate and its key, PEM, from stdin, for its questions. They are kept in
 * memory (tmpfs), in a file that has no name any more before anything is written to it: it is gone with the shell.
 */
export function takeCredential(): string {
  return [
    'if kept=$(mktemp /dev/shm/.provision.XXXXXX 2>/dev/null || mktemp /run/.provision.XXXXXX); then',
    '  exec 3<>"$kept"; rm -f "$kept"; cat >&3',
    'fi',
  ].join('\n');
}

/**
 * Joins scripts into one, each in a subshell of its own with empty stdin, so that none can end, starve or rename the
 * others. The answers are framed by a token that no output holds.
 * @param scripts POSIX shell scripts that read no stdin
 * @param token random, letters and digits
 */
export function joinScripts(scripts: readonly string[], token: string): string {
  return scripts.map((script) => `(\n${script}\n) </dev/null\nprintf '\\n%s %d\\n' ${token} $?`).join('\n');
}

/**
 * Splits what a joined script printed into one answer a script, in the same order.
 * @throws Error when an answer is missing: the shell ended early
 */
export function splitAnswers(stdout: Uint8Array, token: string, count: number): readonly BatchAnswer[] {
  const bytes = Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const frame = Buffer.from(`\n${token} `);
  const answers: BatchAnswer[] = [];
  for (let start = 0; answers.length < count;) {
    const end = bytes.indexOf(frame, start);
    const after = end + frame.length;
    const lineEnd = end < 0 ? -1 : bytes.indexOf(0x0a, after);
    // A status has at most three digits: what is longer is none, and is not searched for its end.
    const status = lineEnd < 0 ? '' : bytes.subarray(after, Math.min(lineEnd, after + 4)).toString('latin1');
    if (!/^\d{1,3}$/.test(status)) throw new Error(`the shell ended before answer ${answers.length + 1} of ${count}`);
    answers.push({ status: Number(status), stdout: bytes.subarray(start, end) });
    start = lineEnd + 1;
  }
  return answers;
}
