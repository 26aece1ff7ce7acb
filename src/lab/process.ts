import { execFile } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ProvisionError } from '../model/errors.js';
import { hasCode, ifThere, readIfThere } from './files.js';

/** A process that was started for a lab. The start time tells it from a later process with the same pid. */
export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks since the machine's boot: proc_pid_stat(5), field 22. */
  readonly startTime: string;
}

/**
 * Runs a program of the machine to its end.
 * @param input text for its standard input
 * @returns its standard output
 * @throws ProvisionError `lab-tool-failed` with what it printed
 */
export async function runTool(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const said = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').slice(-5).join('\n');
      const message = `${[command, ...args].join(' ')}: ${said === '' ? error.message : said}`;
      reject(new ProvisionError({ code: 'lab-tool-failed', message, cause: error }));
    });
    // A program that reads no input may be gone already: its exit status tells, not the broken pipe.
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** The start time of a process; undefined when there is none, or when it is dead and only waits for its parent. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold spaces: count from behind it. It is field 2, the state is 3, the start time 22.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

/** This process, as a record. */
export async function ownRecord(): Promise<ProcessRecord> {
  return { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' };
}

/** Whether the recorded process still runs. */
export async function isAlive(record: ProcessRecord): Promise<boolean> {
  return (await startTimeOf(record.pid)) === record.startTime;
}

/** Reads lines of `pid start-time`. A missing file is no process. */
export async function readRecords(file: string): Promise<readonly ProcessRecord[]> {
  const text = (await readIfThere(file)) ?? '';
  return [...text.matchAll(/^(\d+) (\d+)$/gm)].map(([, pid, startTime]) => ({
    pid: Number(pid),
    startTime: startTime ?? '',
  }));
}

/** Sends a signal to a recorded process, unless it is gone or another one has its pid. */
export async function signal(record: ProcessRecord, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!(await isAlive(record))) return;
  try {
    process.kill(record.pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** The network namespace of a process; undefined when it is gone, or one that even root may not look at. */
async function namespaceOf(pid: number): Promise<string | undefined> {
  try {
    return await ifThere(readlink(`/proc/${pid}/ns/net`));
  } catch (error) {
    if (hasCode(error, 'EACCES')) return undefined;
    throw error;
  }
}

/**
 * The processes that live in a network namespace.
 * @param link what `readlink /proc/PID/ns/net` gives there: `net:[4026532000]`
 */
export async function processesInNamespace(link: string): Promise<readonly ProcessRecord[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const records: ProcessRecord[] = [];
  for (const pid of pids) {
    if ((await namespaceOf(pid)) !== link) continue;
    const startTime = await startTimeOf(pid);
    if (startTime !== undefined) records.push({ pid, startTime });
  }
  return records;
}

/**
 * Waits for a condition.
 * @param everyMs how often to ask
 * @returns false when the time was up first
 */
export async function waitUntil(
  condition: () => Promise<boolean>,
  deadlineMs: number,
  everyMs: number,
): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await delay(everyMs);
  }
  return true;
}
