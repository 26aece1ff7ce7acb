import { DIRECTORY, forgetBusyLine, requireIdleLines } from './busy.js';
import { quote } from './quote.js';

/** A symbolic link, with the lock's text as its target: made whole or not at all. */
const LOCK = `${DIRECTORY}/lock`;

/** The raw mode of a directory with mode 0700, in hex, and its owner: root (stat(1) `%f %u`). */
const OURS = '41c0 0';

/** What {@link readLockScript} prints of something that is no lock. */
const NO_LOCK_OF_OURS = '?';

/** With what {@link takeLockScript} ends for who is not root. */
export const NOT_ROOT = 77;

/**
 * Two operators that look at the lock at the same moment take turns. Who may open a file may keep others from locking it
 * (flock(2)): so only root can open this one.
 */
const IN_TURN = [
  `[ "$(stat -c '%f %u' ${DIRECTORY})" = '${OURS}' ] || { echo '${DIRECTORY} is not a directory for root only (mode 0700)' >&2; exit 1; }`,
  `exec 9<${DIRECTORY}`,
  'flock -w 10 9',
];

/** Prints the lock's text in base64, exact to the byte, or nothing; {@link NO_LOCK_OF_OURS} for anything else there. */
export function readLockScript(): string {
  return `if [ -L ${LOCK} ]; then readlink -n ${LOCK} | base64 -w0; elif [ -e ${LOCK} ]; then printf '${NO_LOCK_OF_OURS}'; fi`;
}

/**
 * Takes the lock when it is free, ours already, or just the one that is known to be left behind. Prints what
 * {@link readLockScript} prints of whoever has it instead, else nothing. Ends with `STILL_BUSY`, and
 * has taken the lock, where a command still runs that a run before has begun.
 * @param text at most 4095 bytes (symlink(7))
 * @param left what was read of a lock that may be taken over
 */
export function takeLockScript(text: string, left: string): string {
  return [
    'set -eu',
    `[ "$(id -u)" = 0 ] || { echo 'only root can lock a host' >&2; exit ${NOT_ROOT}; }`,
    `mkdir -m 0700 ${DIRECTORY} 2>/dev/null || :`,
    ...IN_TURN,
    `held=$(${readLockScript()})`,
    `if [ -z "$held" ] || [ "$held" = ${quote(lockMark(text))} ] || [ "$held" = ${quote(left)} ]; then`,
    `  ln -sfT -- ${quote(text)} ${LOCK}`,
    // The turn is over: others may look at the lock meanwhile.
    '  exec 9<&-',
    ...requireIdleLines().map((line) => `  ${line}`),
    'else',
    `  printf '%s' "$held"`,
    'fi',
  ].join('\n');
}

/**
 * Takes the lock away if it is still the one that was read: another's stays. Prints what is there at the end.
 * @param mark what {@link readLockScript} prints of it
 */
export function releaseLockScript(mark: string): string {
  return [
    'set -eu',
    `[ -d ${DIRECTORY} ] || exit 0`,
    ...IN_TURN,
    `if [ "$(${readLockScript()})" = ${quote(mark)} ]; then`,
    `  rm -f ${LOCK}`,
    `  ${forgetBusyLine()}`,
    'fi',
    readLockScript(),
  ].join('\n');
}

/** What {@link readLockScript} prints of a lock with this text. */
export function lockMark(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
