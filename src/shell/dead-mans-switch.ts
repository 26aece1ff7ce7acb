import type { Command } from '../model/remote.js';
import { quote } from './quote.js';

/** systemd's DefaultTimeoutStopSec and DefaultTimeoutStartSec are 90 s: longer than that, so that their end is seen. */
const TIMEOUT_MS = 120_000;

/** The transient timer, and the service that it starts. */
function switchOf(unit: string): string {
  return quote(`provision-drill-${unit}`);
}

/**
 * Stops a service for a while: first a timer of the host's own systemd is set that starts it again, whatever becomes of
 * this program, its machine or the network; only when that timer runs is the service stopped. A reboot takes the timer
 * away, and starts the service, which is enabled.
 * @param afterS seconds until the timer starts the service again
 */
export function stopForAWhile(unit: string, afterS: number): Command {
  const name = switchOf(unit);
  const service = quote(`${unit}.service`);
  return {
    summary: `stop ${unit}, with a timer that starts it again in ${afterS} s`,
    timeoutMs: TIMEOUT_MS,
    script: [
      'set -eu',
      // Of a drill that was killed: it would go off in the middle of this one.
      `systemctl stop ${name}.timer 2>/dev/null || :`,
      `systemd-run --quiet --collect --unit=${name} --on-active=${afterS}s --timer-property=AccuracySec=100ms systemctl start ${service}`,
      `systemctl is-active --quiet ${name}.timer`,
      `systemctl stop ${service}`,
    ].join('\n'),
  };
}

/** Starts the service again, and only then takes the timer away: where the start fails, the timer tries it once more. */
export function startAgain(unit: string): Command {
  return {
    summary: `start ${unit} again`,
    timeoutMs: TIMEOUT_MS,
    script: [
      `systemctl start ${quote(`${unit}.service`)} || { status=$?; journalctl --no-pager -o cat -n 15 -u ${quote(`${unit}.service`)} >&2; exit $status; }`,
      // It is gone already where it went off.
      `systemctl stop ${switchOf(unit)}.timer 2>/dev/null || :`,
    ].join('\n'),
  };
}
