import { quote } from './quote.js';

/** Only root can make it: /run is root's (FHS 3.0), where /run/lock is everybody's. Gone after a reboot. */
export const DIRECTORY = '/run/provision';

/** What is locked (flock(2)) for as long as a command that changes the host runs. It holds that command's pid and summary. */
const BUSY = `${DIRECTORY}/busy`;

/** With what {@link awaitIdleLines} end where a command still runs. */
export const STILL_BUSY = 75;

/** How long {@link awaitIdleLines} wait, in seconds. */
const WAIT_S = 10;

/**
 * The same script, which runs only while no other such script runs on the host, whoever began it: sshd does not end a
 * command whose client was killed or whose network was cut. What the script starts and leaves behind does not hold the
 * host. One that does not run as root can't take part.
 * @param summary one line, for whoever waits
 */
export function busyScript(summary: string, script: string): string {
  return [
    // Only root can write there (FHS 3.0). A reboot in a run has removed what the lock had made.
    'if [ -w /run ]; then',
    `  [ -d ${DIRECTORY} ] || mkdir -m 0700 ${DIRECTORY}`,
    `  exec 9>>${BUSY}`,
    `  flock -n 9 || { printf 'waits for a command that still runs here: %s\\n' "$(cat ${BUSY})" >&2; flock 9; }`,
    `  printf '%s\\n' "pid $$: "${quote(summary)} >${BUSY}`,
    'fi',
    // At a time-out all processes get SIGTERM; this one waits for a script that ignores it, as what has begun it does.
    'trap : TERM',
    '(',
    script,
    ') 9<&-',
    'exit "$?"',
  ].join('\n');
}

/**
 * Lines that wait until no {@link busyScript} runs, for root, in a directory that was made. Where one still runs after
 * {@link WAIT_S}, they print on stderr what that is, and end with {@link STILL_BUSY}.
 */
export function awaitIdleLines(): readonly string[] {
  return [`exec 9>>${BUSY}`, `flock -w ${WAIT_S} 9 || { cat ${BUSY} >&2; exit ${STILL_BUSY}; }`];
}

/** A line that removes the note of the last {@link busyScript}, unless one still runs: for who holds the host's lock. */
export function forgetBusyLine(): string {
  return `[ ! -e ${BUSY} ] || flock -n ${BUSY} rm -f ${BUSY} || :`;
}
