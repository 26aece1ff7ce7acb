import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { LockHolder } from '../engine/lock-holder.js';

/** A lock's text must fit into a symbolic link (symlink(7): 4095 bytes), whatever JSON makes of it. */
const MOST_OF_A_PATH = 500;

/** This process, as the holder of a cluster's lock. */
export function thisHolder(inventory: string, since: Date): LockHolder {
  return {
    user: userName(),
    machine: hostname(),
    pid: process.pid,
    process: processMark(process.pid),
    since: since.toISOString(),
    inventory: resolve(inventory).slice(-MOST_OF_A_PATH),
  };
}

/** Who runs this process, and where: `user@machine`. */
export function whoRuns(): string {
  return `${userName()}@${hostname()}`;
}

/** The user's name; a container's user may have none, and is its number then. */
export function userName(): string {
  return readOr(`uid ${process.getuid?.() ?? '?'}`, () => userInfo().username);
}

/**
 * True when the holder ran in this very boot of this machine, and does not any more. Of another machine nothing can be
 * told from here, nor of another boot: machine ids are copied with images.
 */
export function isGoneHolder(holder: LockHolder): boolean {
  const boot = bootMark();
  return boot !== '' && holder.process.startsWith(`${boot} `) && holder.process !== processMark(holder.pid);
}

/** True when the holder is a process of this machine that runs now. */
export function isLivingHolder({ process, pid }: LockHolder): boolean {
  return process !== '' && process === processMark(pid);
}

/** This boot and this process namespace (a container sees other pids than its host); `''` where there is no /proc. */
function bootMark(): string {
  return readOr(
    '',
    () => `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`,
  );
}

/** A process's boot, pid and start time: pids are used again (proc(5), field 22 of `stat`). */
function processMark(pid: number): string {
  const started = readOr('', () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ');
    // A zombie has ended. The fields here begin with the third one.
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  });
  return started === '' ? '' : `${bootMark()} ${pid} ${started}`;
}

function readOr(otherwise: string, read: () => string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
