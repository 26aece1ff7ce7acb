import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A line of the journal that the tests' processes keep (mutant-runner.mjs). */
export interface Entry {
  readonly verdict:
    | 'trying'
    | 'trying together'
    | 'noticed'
    | 'survived'
    | 'pointless'
    | 'hung'
    | 'fails here'
    | 'file fails'
    | 'file done'
    | 'loads'
    | 'room done';
  readonly id?: number;
  /** The test file. */
  readonly by?: string;
  readonly room?: string;
  /** `hangs`: a test came to no end with it, twice. `circles`: it asked switch after switch. */
  readonly how?: 'hangs' | 'circles';
  /** How long the plain run of a test file took. */
  readonly tookMs?: number;
}

/** A process that has written nothing for so long while it tries a mutant runs in circles: so much, and so many plain runs. */
const [SILENT_MS, SILENT_RUNS] = [90_000, 8];
/** While it runs tests as they are, it may be the machine that is slow. */
const SILENT_PLAIN_MS = 1_200_000;
/** More restarts than this are not the mutants' doing. */
const MOST_STARTS = 400;

/** All that the processes wrote, in no order. */
export function readJournal(work: string, shards: number): readonly Entry[] {
  return Array.from({ length: shards }, (_, shard) => journalFile(work, shard, shards))
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Entry);
}

function journalFile(work: string, shard: number, shards: number): string {
  return join(work, `journal-${shard}-of-${shards}.jsonl`);
}

/** What is run. */
export interface Room {
  readonly room: 'unit' | 'contract';
  /** Only tests that import one of these; all where it is empty. */
  readonly related: readonly string[];
  readonly work: string;
  readonly shards: number;
  /**
   * Only tests of the rooms that have mutants, and of these: quicker, and what other rooms' tests notice counts as not noticed.
   * Tests of all rooms where it is undefined.
   */
  readonly near: readonly string[] | undefined;
  /** When to end, whatever was tried: milliseconds since 1970. */
  readonly endAt: number;
}

function start({ room, related, work, shards, near }: Room, shard: number): ChildProcess {
  const options = ['--experimental-vm-modules', '--no-warnings', '--max-old-space-size=4096'];
  mkdirSync(join(work, 'tmp'), { recursive: true, mode: 0o1777 });
  const select = related.length === 0 ? [] : ['--findRelatedTests', ...related];
  return spawn(
    process.execPath,
    [
      ...options,
      'node_modules/jest/bin/jest.js',
      '--config',
      'tests/mutation/jest.config.mjs',
      '--selectProjects',
      room,
      '--passWithNoTests',
      ...select,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own, with the scripts that its tests have started: see endGroup.
      detached: true,
      env: {
        ...process.env,
        // What a process that is ended leaves behind goes with the rest of the work.
        TMPDIR: join(work, 'tmp'),
        MUTATION_WORK: work,
        MUTATION_SHARD: `${shard}-of-${shards}`,
        MUTATION_NEAR: near === undefined ? '' : ['yes', ...near].join(' '),
      },
    },
  );
}

/** The groups of the processes that run. */
const groups = new Set<number>();

/** Ends what the tests of a process have started, and the process. A script with a mutant may go round for ever, and would outlive it. */
function endGroup(group: number): void {
  groups.delete(group);
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => {
    for (const group of groups) endGroup(group);
    process.exit(status);
  });

/** Whether a part of the room is through, by its journal. */
function isDone(room: Room, shard: number): boolean {
  const file = journalFile(room.work, shard, room.shards);
  return existsSync(file) && readFileSync(file, 'utf8').includes(`{"verdict":"room done","room":"${room.room}"}`);
}

/**
 * Ends a process that runs in circles. The second time that the same mutant makes one do so it is noticed: a test would have
 * timed out. The first time it may be the machine that was slow.
 */
function endSilent(child: ChildProcess, file: string): void {
  if (!existsSync(file) || Date.now() - statSync(file).mtimeMs < SILENT_MS) return;
  const entries = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Entry);
  const last = entries.at(-1);
  const isTrying = last?.verdict === 'trying' || last?.verdict === 'trying together';
  const plainMs = entries.findLast(({ tookMs }) => tookMs !== undefined)?.tookMs ?? 0;
  const limitMs = isTrying ? SILENT_MS + SILENT_RUNS * plainMs : SILENT_PLAIN_MS;
  if (Date.now() - statSync(file).mtimeMs < limitMs) return;
  child.kill('SIGKILL');
  if (last?.verdict !== 'trying') return;
  const hasHung = entries.some(({ verdict, id, by }) => verdict === 'hung' && id === last.id && by === last.by);
  const found: Entry = hasHung ? { ...last, verdict: 'noticed', how: 'hangs' } : { ...last, verdict: 'hung' };
  appendFileSync(file, `${JSON.stringify(found)}\n`);
}

/** @returns what it said last where it came to no end */
async function runShard(room: Room, shard: number): Promise<string> {
  let said = '';
  for (let starts = 0; starts < MOST_STARTS && !isDone(room, shard) && Date.now() < room.endAt; starts += 1) {
    const child = start(room, shard);
    const { pid: group } = child;
    if (group !== undefined) groups.add(group);
    said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        if (group !== undefined) endGroup(group);
      });
      child.once('close', () => {
        resolve();
      });
    });
    const open = { is: true };
    void ended.then(() => (open.is = false));
    const began = Date.now();
    while (open.is) {
      await Promise.race([ended, wait(1_000)]);
      if (Date.now() > room.endAt) child.kill('SIGKILL');
      if (Date.now() - began > SILENT_MS) endSilent(child, journalFile(room.work, shard, room.shards));
    }
    // jest exits with 0 where there is no test file to run.
    if (child.exitCode === 0) return '';
  }
  return isDone(room, shard) ? '' : said || 'time is up';
}

/** Runs the tests of a room against all mutants. @returns why not all of them ran, for people; empty where they did */
export async function runRoom(room: Room): Promise<readonly string[]> {
  const ends = await Promise.all(Array.from({ length: room.shards }, async (_, shard) => runShard(room, shard)));
  return ends.filter((end) => end !== '');
}
