import { quote } from './quote.js';

/** How long a command that ignores SIGTERM at its time-out is left before SIGKILL, in seconds. */
const KILL_AFTER_S = 5;

/** Ends the script and its stdin on the wire: what arrives without it was cut off. */
export const END_OF_PART = '.\n';

/** Whom the command becomes, and the words by which the two sides follow what sudo does. */
interface SudoWords {
  readonly user: string;
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

/** Copies exactly that many bytes: `head -c` may read ahead (uutils, busybox), and would eat what follows. */
function copyBytes(count: number): string {
  return `dd bs=65536 count=${count} iflag=count_bytes,fullblock status=none`;
}

/**
 * Reads the script, then runs it on the rest of stdin.
 *
 * The script travels on stdin, not in argv: there it would show in `ps`, may not exceed 128 KiB (MAX_ARG_STRLEN in
 * execve(2)), and would meet the quoting of whatever login shell the user has. Sizes go ahead so that the channel's
 * stdin can stay open: sshd does not end the command of a channel whose stdin has ended (design of pitfall "time-outs").
 *
 * A connection that is lost looks like the end of stdin on the far side, so `cat > new && mv new old` would put half a
 * file in place. Hence the end mark after each part. A cut script is not started; when stdin is cut, all processes of
 * the command are killed while the script still waits for input (`timeout` gave them a process group of their own).
 */
function readAndRun(command: RemoteCommand): string {
  const read = `s=$(${copyBytes(command.scriptBytes)}); read -r e; [ "$e" = . ] || exit 125; unset e`;
  if (command.stdinBytes === 0) return `${read}; exec </dev/null; eval "$s"`;
  // When the script ends before its input, dd fails with a broken pipe: that is the script's choice, not a cut.
  const feed = `if ${copyBytes(command.stdinBytes)} 2>/dev/null; then read -r e; [ "$e" = . ] || kill -9 0; fi`;
  return `${read}; { ${feed}; } | eval "$s"`;
}

/**
 * The words before the command that make it run as another user. `-k` ignores a cached login, so that the password is
 * asked for each time or never; `granted` tells that sudo reads no more of stdin.
 */
function sudoPrefix(sudo: SudoWords): string {
  const asking = sudo.prompt === undefined ? '-n' : `-k -S -p ${quote(sudo.prompt)}`;
  return `sudo -H ${asking} -u ${quote(sudo.user)} -- sh -c ${quote(`echo ${sudo.granted} >&2; exec "$@"`)} sh `;
}

/**
 * The text for an SSH `exec` request that runs a script which follows on stdin: the script, {@link END_OF_PART}, then,
 * when `stdinBytes` is not 0, the stdin and {@link END_OF_PART} again. One line, and plain enough for any login shell.
 * Needs coreutils on the host; status 124 (or 137, when SIGTERM was ignored) after `timeoutMs`.
 */
export function remoteCommandLine(command: RemoteCommand): string {
  const timeout = `timeout -k ${KILL_AFTER_S} ${command.timeoutMs / 1000}`;
  const become = command.sudo === undefined ? '' : sudoPrefix(command.sudo);
  // The locale makes messages that are matched here, and outputs that facts read, the same on every host.
  return `exec env LC_ALL=C.UTF-8 ${become}${timeout} sh -c ${quote(readAndRun(command))}`;
}
