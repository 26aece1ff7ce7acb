import { appendFileSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import type { EventSink } from '../model/events.js';
import { fileReason } from '../model/file-reason.js';
import { isLivingProcess } from '../model/process-mark.js';
import { LARGE_FILE_BYTES, readFound } from '../model/read-bounded.js';
import { eventSchema, type EventJson } from './event-schema.js';
import { createNdjsonReporter } from './ndjson.js';

/** The directory of an inventory, which may be a directory itself, of several files. */
export function directoryOf(inventory: string): string {
  const path = resolve(inventory);
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? path : dirname(path);
}

/** The runs of one inventory are kept beside it, in this directory. */
export function journalDirectory(inventoryDirectory: string): string {
  return join(inventoryDirectory, '.provision', 'journal');
}

/**
 * Keeps every event of a run as a line of JSON, as it happens: what a killed run had begun is on the disk.
 * @param begun when the run began; it names the journal
 * @returns a sink that throws the system's error when an event could not be kept; the next ones may be
 */
export function createJournal(directory: string, begun: Date, now: () => Date): EventSink {
  let file: string | undefined;
  let end = '';
  return createNdjsonReporter((line) => {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      file ??= makeFile(directory, begun);
      // Synchronous: the line of an action is written before the action begins.
      appendFileSync(file, `${end}${line}`, { mode: 0o600 });
      end = '';
    } catch (error) {
      // A full disk may have taken a part of the line; there may be room again for a later one.
      end = '\n';
      throw error;
    }
  }, now).sink;
}

/** Runs that begin in the same millisecond: more than one machine starts. */
const MOST_TOGETHER = 100;

/**
 * Exclusive: what others put there before is not written through, be it a file or a link. Another run may have begun at the same
 * time, of an inventory in the same directory: the name is of the next millisecond that is free.
 */
function makeFile(directory: string, begun: Date): string {
  for (let later = 0; ; later += 1) {
    const file = join(directory, `${nameOf(new Date(begun.getTime() + later))}.ndjson`);
    try {
      closeSync(openSync(file, 'ax', 0o600));
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || later >= MOST_TOGETHER) throw error;
    }
  }
}

/** `2026-11-21T02-15-00.123Z`: sorts by time, and is a file name everywhere. */
function nameOf(begun: Date): string {
  return begun.toISOString().replaceAll(':', '-');
}

/** One run, as its journal tells it. */
export interface KeptRun {
  /** What `provision history INVENTORY RUN` takes. */
  readonly name: string;
  /** The verb; nothing where not even its first line was written. */
  readonly command: string;
  readonly begun: string;
  /** Its inventory, as it was typed; others may be in the same directory. */
  readonly inventory: string;
  /** Who ran it, and where; nothing in journals of earlier versions. */
  readonly by: string | undefined;
  /** Nothing where it ended before it was planned. */
  readonly playbook: string | undefined;
  readonly limit: string | undefined;
  /**
   * `running`: its process is there. `interrupted`: the process ended before the run did. `not begun`: the run ended before any
   * play, and changed nothing.
   */
  readonly end: 'done' | 'failed' | 'not begun' | 'running' | 'interrupted';
  /** Why it did not come to its end, in one line. */
  readonly reason: string | undefined;
  readonly changed: number;
  /** Lines that can't be read: the disk was full, or the power went, while they were written. */
  readonly unreadable: number;
  readonly events: readonly EventJson[];
}

/** Names of the runs that were kept, the oldest first. @throws ProvisionError `unreadable` */
export async function runNames(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(directory, cause);
  });
  return names
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => name.replace(/\.ndjson$/, ''))
    .sort();
}

/** One run, whole: a run of many hosts is megabytes. @param name from {@link runNames} @throws ProvisionError `unreadable` */
export async function readRun(directory: string, name: string): Promise<KeptRun> {
  const file = join(directory, `${name}.ndjson`);
  const bytes = await readFound(file, LARGE_FILE_BYTES).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  const lines = bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const events = lines.flatMap(readLine);
  const started = events[0]?.type === 'run-started' ? events[0] : undefined;
  const plan = events.find((event) => event.type === 'planned')?.plan;
  return {
    name,
    command: started?.command ?? '',
    inventory: started?.inventory ?? '',
    begun: events[0]?.time ?? '',
    ...{ by: started?.by, playbook: plan?.playbook, limit: plan?.limit ?? undefined },
    ...{ end: endOf(events), reason: reasonOf(events.at(-1)) },
    changed: events.filter(({ type }) => type === 'change-done').length,
    unreadable: lines.length - events.length,
    events,
  };
}

function unreadable(path: string, cause: unknown): ProvisionError {
  return new ProvisionError({
    code: 'unreadable',
    message: `${path} cannot be read: ${fileReason(cause)}`,
    hint: `look at it, and at who may read it: ls -ld ${path}`,
    cause,
  });
}

function endOf(events: readonly EventJson[]): KeptRun['end'] {
  const last = events.at(-1)?.type;
  if (last === 'run-finished') return 'done';
  if (last !== 'run-failed') return isRunning(events[0]) ? 'running' : 'interrupted';
  // A question without an answer, a lock, a plan that is stale: nothing failed on any host.
  return events.some(({ type }) => type === 'play-started' || type === 'change-started') ? 'failed' : 'not begun';
}

function isRunning(first: EventJson | undefined): boolean {
  return first?.type === 'run-started' && isLivingProcess(first.process ?? '');
}

function reasonOf(last: EventJson | undefined): string | undefined {
  if (last?.type !== 'run-failed') return undefined;
  const [first = { host: null, message: last.message }] = last.failures;
  const [line = ''] = first.message.split('\n');
  // What follows the colon is on the next lines.
  const reason = line.replace(/:$/, '');
  return first.host === null || reason.startsWith(`${first.host}: `) ? reason : `${first.host}: ${reason}`;
}

/** One bad line does not hide the run around it. */
function readLine(line: string): readonly EventJson[] {
  try {
    return [eventSchema.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
