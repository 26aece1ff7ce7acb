import { quote } from './quote.js';

/** Where the lock stands on a host: gone after a reboot, and writable without root (FHS 3.0, "/run/lock"). */
const LOCK_PATH = '/run/lock/provision';

/** Two operators that look at the lock at the same moment take turns. */
const IN_TURN = `exec 9</run/lock\nflock -w 10 9`;

/** Prints the lock's text, or nothing. */
export function readLockScript(): string {
  return `readlink ${LOCK_PATH} || :`;
}

/**
 * Takes the lock when it is free, or when it is just the one that is known to be left behind. Prints the text of
 * whoever has it instead, else nothing. A symbolic link is made whole or not at all, with its text as its target: no
 * reader ever sees half a lock.
 * @param text one line, at most 4095 bytes
 * @param left the text of a lock that may be taken over
 */
export function takeLockScript(text: string, left: string): string {
  return [
    'set -eu',
    IN_TURN,
    `held=$(${readLockScript()})`,
    `if [ -z "$held" ] || [ "$held" = ${quote(left)} ]; then`,
    `  ln -sfT ${quote(text)} ${LOCK_PATH}`,
    'else',
    `  printf '%s' "$held"`,
    'fi',
  ].join('\n');
}

/** Takes the lock away if it is still the one with this text: another's lock stays. */
export function releaseLockScript(text: string): string {
  return ['set -eu', IN_TURN, `[ "$(${readLockScript()})" != ${quote(text)} ] || rm -f ${LOCK_PATH}`].join('\n');
}
