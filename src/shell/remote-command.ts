import { quote } from './quote.js';
import { inRemoteEnvironment, PLAIN_ENVIRONMENT } from './remote-environment.js';

/** How long a command that ignores SIGTERM at its time-out is left before SIGKILL, in seconds. */
const KILL_AFTER_S = 5;

/** What `timeout` itself ends with, once a command had its time (timeout(1)). */
const TIMED_OUT = 124;

/** Ends the script and its stdin on the wire: what arrives without it was cut off. */
export const END_OF_PART = '.\n';

/** Whom the command becomes, and the words by which the two sides follow what sudo does. */
interface SudoWords {
  readonly user: string;
  /** The program; default `sudo`. */
  readonly program?: string | undefined;
  /** sudo's own options, as words; default `-H`. */
  readonly flags?: readonly string[] | undefined;
  /** sudo's prompt, when a password will be given; without it sudo may not ask (`-n`). */
  readonly prompt?: string | undefined;
  /** Printed on stderr once sudo has let the command in. Hexadecimal. */
  readonly granted: string;
}

/** What {@link remoteCommandLine} needs to know. */
export interface RemoteCommand {
  /** Size of the script in bytes. */
  readonly scriptBytes: number;
  /** Size of what the script reads on its stdin, in bytes; 0: `/dev/null`. */
  readonly stdinBytes: number;
  readonly timeoutMs: number;
  readonly sudo?: SudoWords | undefined;
}

/** What is between these is the command's own; it is found on stdout and on stderr. */
export interface Marks {
  readonly begin: string;
  /** A status in decimal and a newline follow. */
  readonly end: string;
}

/** The marks of one exec. @param token random, hexadecimal */
export function marksOf(token: string): Marks {
  return { begin: `${token}[\n`, end: `${token}]` };
}

/**
 * What {@link remoteCommandLine} reads. The token goes ahead of the script: on stdin no other user of the host can
 * see it, as in argv they could.
 */
export function remotePayload(token: string, script: Uint8Array, stdin: Uint8Array): Buffer {
  const end = Buffer.from(END_OF_PART);
  return Buffer.concat([Buffer.from(`${token}\n`), script, end, ...(stdin.length === 0 ? [] : [stdin, end])]);
}

/** Copies exactly that many bytes: `head -c` may read ahead (uutils, busybox), and would eat what follows. */
function copyBytes(count: number): string {
  return `dd bs=65536 count=${count} iflag=count_bytes,fullblock status=none`;
}

/** Prints a mark on both outputs. The parts of it are joined only by printf, so that no trace of the shell holds one. */
function printMark(format: string, ...values: readonly string[]): string {
  const print = `printf '${format}' "$t" ${values.join(' ')}`.trimEnd();
  return `${print}; ${print} >&2`;
}

/**
 * Reads the token and the script, then runs it on the rest of stdin, in a subshell, between marks.
 *
 * The script travels on stdin, not in argv: there it would show in `ps`, may not exceed 128 KiB (MAX_ARG_STRLEN in
 * execve(2)), and would meet the quoting of whatever login shell the user has. Sizes go ahead so that the channel's
 * stdin can stay open: sshd does not end the command of a channel whose stdin has ended (design of pitfall "time-outs").
 *
 * A connection that is lost looks like the end of stdin on the far side, so `cat > new && mv new old` would put half a
 * file in place. Hence the end mark after each part. A cut script is not started; when stdin is cut, all processes of
 * the command are killed while the script still waits for input (`timeout` gave them a process group of their own).
 *
 * At the time-out all processes get SIGTERM. This shell waits for the script all the same: `timeout` waits only for this shell, and
 * would not kill a script that ignores the signal.
 */
function readAndRun(command: RemoteCommand): string {
  const begin = `trap 'exit ${TIMED_OUT}' TERM; umask 022; read -r t || exit 125; ${printMark('%s[\\n')}`;
  const read = `s=$(${copyBytes(command.scriptBytes)}); read -r e; [ "$e" = . ] || exit 125; unset e`;
  const run = 'eval "unset s t; $s"';
  // When the script ends before its input, dd fails with a broken pipe: that is the script's choice, not a cut.
  const feed = `if ${copyBytes(command.stdinBytes)} 2>/dev/null; then read -r e; [ "$e" = . ] || kill -9 0; fi`;
  const body = command.stdinBytes === 0 ? `(${run}) </dev/null` : `{ ${feed}; } | (${run})`;
  return `${begin}; ${read}; ${body}; c=$?; ${printMark('%s]%d\\n', '"$c"')}; exit "$c"`;
}

/** What sudo is given by default; Ansible's default has `-S -n` as well, which depend on the password here. */
const DEFAULT_SUDO_FLAGS = ['-H'];

/**
 * The words before the command that make it run as another user. `-k` ignores a cached login, so that the password is
 * asked for each time or never; `granted` tells that sudo reads no more of stdin.
 */
function sudoWords({ user, program = 'sudo', flags = DEFAULT_SUDO_FLAGS, prompt, granted }: SudoWords): string {
  const asking = prompt === undefined ? '-n' : `-k -S -p ${quote(prompt)}`;
  const options = [program, ...flags].map(quote).join(' ');
  return `${PLAIN_ENVIRONMENT} ${options} ${asking} -u ${quote(user)} -- ${inRemoteEnvironment(`echo ${granted} >&2; `)}`;
}

/**
 * The text for an SSH `exec` request that runs a script which follows on stdin ({@link remotePayload}), and prints its
 * outputs between {@link marksOf}. One line, and plain enough for any login shell.
 * Needs coreutils on the host; status 124 (or 137, when SIGTERM was ignored) and no end mark after `timeoutMs`.
 */
export function remoteCommandLine(command: RemoteCommand): string {
  const before = command.sudo === undefined ? inRemoteEnvironment('') : sudoWords(command.sudo);
  const timeout = `timeout -k ${KILL_AFTER_S} ${command.timeoutMs / 1000}`;
  return `exec ${before} ${timeout} sh -c ${quote(readAndRun(command))}`;
}
