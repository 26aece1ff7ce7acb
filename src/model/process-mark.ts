import { readFileSync, readlinkSync } from 'node:fs';

// No other process of a machine and a boot has the mark of this one: the boot, its pid, and when it started. What was
// left behind (a lock, a journal) carries the mark of whoever left it.

/** The mark of a process that runs here now; `''` where none has this pid, and where there is no /proc. */
export function processMark(pid: number): string {
  const started = readOr('', () => {
    // Pids are used again: proc(5), field 22 of `stat`.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ');
    // A zombie has ended. The fields here begin with the third one.
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  });
  return started === '' ? '' : `${bootMark()} ${pid} ${started}`;
}

/** True when the process runs on this machine now. @param mark from `processMark`, on any machine */
export function isLivingProcess(mark: string): boolean {
  return mark !== '' && mark === processMark(pidOf(mark));
}

/**
 * True when the process ran in this very boot of this machine, and does not any more. Of another machine nothing can be
 * told from here, nor of another boot: machine ids are copied with images.
 */
export function isGoneProcess(mark: string): boolean {
  const boot = bootMark();
  return boot !== '' && mark.startsWith(`${boot} `) && mark !== processMark(pidOf(mark));
}

/** NaN, which no process has, in a mark that was not made here. */
function pidOf(mark: string): number {
  return Number(mark.split(' ')[1] ?? NaN);
}

/** This boot and this process namespace (a container sees other pids than its host); `''` where there is no /proc. */
function bootMark(): string {
  return readOr(
    '',
    () => `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`,
  );
}

function readOr(otherwise: string, read: () => string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
