import type { Command } from '../model/remote.js';
import { quote } from './quote.js';
import { unitName } from './unit-name.js';

/** What can be asked of systemd for one unit. */
export type ServiceVerb = 'start' | 'stop' | 'restart' | 'reload' | 'enable' | 'disable' | 'mask' | 'unmask';

/** systemd's own DefaultTimeoutStartSec is 90 s: longer than that, so that its answer is seen. */
const TIMEOUT_MS = 120_000;

/** One `systemctl` call; when it fails, the unit's status and last log lines are its output. */
export function serviceCommand(verb: ServiceVerb, unit: string): Command {
  const name = quote(unitName(unit));
  const isMask = verb === 'mask' || verb === 'unmask';
  const runsAnew = verb === 'start' || verb === 'restart';
  const call = `systemctl ${verb} ${isMask ? '--runtime ' : ''}--quiet ${name}`;
  return {
    summary: `systemctl ${verb} ${unit}`,
    timeoutMs: TIMEOUT_MS,
    script: [
      // What failed before must not count against systemd's limit of starts.
      ...(runsAnew ? [`systemctl reset-failed ${name} 2>/dev/null || :`] : []),
      // Always: NeedDaemonReload says no of a unit that another file now takes the place of (systemd 252).
      ...(runsAnew || verb === 'reload' ? ['systemctl daemon-reload'] : []),
      // The links of SysV beside those of a unit cost fifty processes; a service that has only those gets them by the second call.
      ...(verb === 'enable' ? [`SYSTEMCTL_SKIP_SYSV=1 ${call} 2>/dev/null && exit 0`] : []),
      `${call} && exit 0`,
      'status=$?',
      `journalctl --no-pager -o cat -n 15 -u ${name} >&2`,
      'exit $status',
    ].join('\n'),
  };
}

/** Has systemd read its units' files again: what runs goes on as it is. */
export function daemonReload(): Command {
  return { summary: 'systemctl daemon-reload', script: 'systemctl daemon-reload' };
}
