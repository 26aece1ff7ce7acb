import { quote } from './quote.js';

/** Only root can make it: /run is root's (FHS 3.0), where /run/lock is everybody's. Gone after a reboot. */
export const DIRECTORY = '/run/provision';

/** What is locked (flock(2)) for as long as a command that changes the host runs. It holds that command's pid and summary. */
const BUSY = `${DIRECTORY}/busy`;

/** With what a script ends that could not begin, since a command still runs; {@link BUSY_MARK} and what it is are on its stderr. */
export const STILL_BUSY = 75;

/** What a line on stderr begins with that says which command still runs. */
export const BUSY_MARK = 'provision: still runs:';

/** Of the note of a command, which anybody may have written who is root there. */
const NOTE_BYTES = 200;

/** How long one {@link awaitIdleScript} waits, in seconds. */
const WAIT_S = 10;

const SAY = `{ printf '%s ' ${quote(BUSY_MARK)}; head -c ${NOTE_BYTES} ${BUSY}; echo; } >&2; exit ${STILL_BUSY}`;

/**
 * The same script, which begins only where no other such script runs on the host, whoever began it: sshd does not end a
 * command whose client was killed or whose network was cut. Else it ends with {@link STILL_BUSY}. What the script starts and
 * leaves behind does not hold the host. One that does not run as root can't take part.
 * @param summary one line, for whoever waits
 */
export function busyScript(summary: string, script: string): string {
  return [
    // Only root can write there (FHS 3.0). A reboot in a run has removed what the lock had made.
    'if [ -w /run ]; then',
    `  [ -d ${DIRECTORY} ] || mkdir -m 0700 ${DIRECTORY}`,
    `  exec 9>>${BUSY}`,
    `  flock -n 9 || { ${SAY}; }`,
    `  printf '%s\n' "pid $$: "${quote(summary)} >${BUSY}`,
    'fi',
    // At a time-out all processes get SIGTERM; this one waits for a script that ignores it, as what has begun it does.
    'trap : TERM',
    '(',
    script,
    ') 9<&-',
    'exit "$?"',
  ].join('\n');
}

/** Lines that end with {@link STILL_BUSY} where a {@link busyScript} runs, for root, in a directory that was made. */
export function requireIdleLines(): readonly string[] {
  return [`exec 9>>${BUSY}`, `flock -n 9 || { ${SAY}; }`];
}

/** Waits until no {@link busyScript} runs, for {@link WAIT_S} at most; its status says nothing. */
export function awaitIdleScript(): string {
  return `[ ! -f ${BUSY} ] || flock -w ${WAIT_S} ${BUSY} true`;
}

/** A line that removes the note of the last {@link busyScript}, unless one still runs: for who holds the host's lock. */
export function forgetBusyLine(): string {
  return `[ ! -e ${BUSY} ] || flock -n ${BUSY} rm -f ${BUSY} || :`;
}
