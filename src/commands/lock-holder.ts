import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { LockHolder } from '../engine/lock-holder.js';
import { isGoneProcess, processMark } from '../model/process-mark.js';

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

/** True when the holder ran on this machine since it was booted, and does not any more. */
export function isGoneHolder({ process }: LockHolder): boolean {
  return isGoneProcess(process);
}

/** The user's name; a container's user may have none, and is its number then. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
