import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { onHostNetwork } from './program-processes.js';

/** When each process of a program on the host's own network was started. */
export interface ProgramStart {
  readonly pid: number;
  /** Seconds since 1970, by the host's own clock, as the change times of its files are. */
  readonly startedAt: number;
}

/**
 * Key: a program, at most 15 characters, as in /proc/PID/comm. The 22nd field of /proc/PID/stat counts from the boot, as
 * /proc/uptime does, and both go on when someone sets the clock (proc(5)).
 */
export const programStarts: Fact<readonly ProgramStart[]> = {
  name: 'program-starts',
  script: (programs) =>
    [
      'read -r up _ </proc/uptime',
      `printf 'T %s %s %s\\n' "$(date +%s.%N)" "$up" "$(getconf CLK_TCK)"`,
      ...programs.map((program, index) =>
        [
          `for comm in $(grep -lx ${quote(program)} /proc/[0-9]*/comm 2>/dev/null); do`,
          '  pid=${comm#/proc/}; pid=${pid%/comm}',
          `  ${onHostNetwork('"/proc/$pid"')}`,
          '  stat=$(cat "/proc/$pid/stat" 2>/dev/null) || continue',
          '  set -- ${stat##*) }',
          `  printf 'P ${index} %s %s\\n' "$pid" "\${20}"`,
          'done',
        ].join('\n'),
      ),
      ':',
    ].join('\n'),
  parse(stdout, programs) {
    const [, now, up, ticks] = /^T (\d+\.\d+) (\d+\.\d+) (\d+)$/m.exec(stdout) ?? [];
    if (now === undefined || up === undefined || ticks === undefined)
      throw new Error('the host does not tell its time');
    const booted = Number(now) - Number(up);
    const started = [...stdout.matchAll(/^P (\d+) (\d+) (\d+)$/gm)].map(([, index, pid, start]) => ({
      index: Number(index),
      pid: Number(pid),
      startedAt: booted + Number(start) / Number(ticks),
    }));
    return new Map(
      programs.map((program, at) => [
        program,
        started.flatMap(({ index, pid, startedAt }) => (index === at ? [{ pid, startedAt }] : [])),
      ]),
    );
  },
};
