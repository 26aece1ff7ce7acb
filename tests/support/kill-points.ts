import type { EventJson } from '../../src/report/event-schema.js';
import type { TestLab } from './lab.js';
import { disturbedApply, type DisturbedRun } from './stopped-run.js';
import { numberOfThisCommit } from './this-commit.mjs';

/** More disturbed runs than this mean that the job makes no progress. */
export const MOST_KILLS = 400;

/** Where a run is killed: at the beginning or after the end of its nth change. */
export interface KillPoint {
  readonly type: 'change-started' | 'change-done';
  /** Counts from 1. */
  readonly nth: number;
  /** Counts the changes of this play alone. */
  readonly play?: string;
}

/** Picks the nth event of a kind. */
export function isAt({ type, nth, play }: KillPoint): (event: EventJson) => boolean {
  let seen = 0;
  return (event) => {
    if (event.type !== type || (play !== undefined && event.play !== play)) return false;
    seen += 1;
    return seen === nth;
  };
}

/**
 * What picks some of a long list of cases, in order and other ones for each commit; in a sweep it picks all.
 * @param index as in {@link numberOfThisCommit}
 */
export function partOfThisCommit(index: number): <C>(cases: readonly C[], count: number) => readonly C[] {
  const drawn = numberOfThisCommit(index, 256);
  return (cases, count) => {
    const first = drawn % cases.length;
    const picked = [...cases, ...cases].slice(first, first + Math.min(count, cases.length));
    return process.env.PROVISION_SWEEP === 'all' ? cases : picked;
  };
}

/**
 * A few kill points of a job, other ones for each commit: three runs that are killed, one after the other.
 * @param changes each is within so many changes of its run
 */
export function pointsOfThisCommit(changes: number): readonly KillPoint[] {
  return [0, 1, 2].map((index) => pointOfThisCommit(index, changes));
}

/**
 * A kill point in each of some plays, three at most, other ones for each commit.
 * @param changes how many each play has at least, by its name
 */
export function pointsOfPlays(changes: Readonly<Record<string, number>>): readonly KillPoint[] {
  return Object.entries(changes).map(([play, most], index) => ({ ...pointOfThisCommit(index, most), play }));
}

function pointOfThisCommit(index: number, changes: number): KillPoint {
  const type = numberOfThisCommit(index, 2) === 0 ? 'change-started' : 'change-done';
  return { type, nth: 1 + numberOfThisCommit(index + 3, changes) };
}

/**
 * After every beginning and after every end of a change, each in a run of its own. Each fourth run makes two: of members
 * that wait for a quorum, the one that waits already is done at once, in each run, and one alone never has it.
 */
export function* everyPoint(): Generator<KillPoint> {
  for (let kill = 0; kill < MOST_KILLS; kill += 1) {
    // The second time the first change is the same one, half done or not begun.
    yield { type: kill % 2 === 0 ? 'change-started' : 'change-done', nth: kill % 4 === 3 ? 2 : 1 };
  }
}

/** A run that was to be killed at a point. */
export interface Killed {
  readonly point: KillPoint;
  readonly run: DisturbedRun;
}

/** The last change that a run spoke of. */
function lastChange({ events }: DisturbedRun): string | undefined {
  const last = events.findLast((event) => event.type === 'change-started' || event.type === 'change-done');
  return last === undefined ? undefined : `${last.host}: ${last.summary}`;
}

/** Runs `apply`, and kills it with `kill -9` at a point. */
export async function killAt(lab: TestLab, point: KillPoint): Promise<Killed> {
  const killed = await disturbedApply(lab, isAt(point), (kill) => {
    kill('SIGKILL');
  });
  return { point, run: killed };
}

/** Kills runs with `kill -9` at these points, one run after the other, until one comes to its end. */
export async function killOneAfterTheOther(lab: TestLab, points: Iterable<KillPoint>): Promise<readonly Killed[]> {
  const runs: Killed[] = [];
  for (const point of points) {
    const killed = await killAt(lab, point);
    runs.push(killed);
    if (killed.run.status !== 137) break;
    console.log(
      `killed at ${point.type} ${point.nth}${point.play === undefined ? '' : ` of ${point.play}`}: ${lastChange(killed.run) ?? 'before any change'}`,
    );
  }
  return runs;
}

/** The page in docs/ that keeps what a full sweep found. @param job what the runs were to do */
export function sweepPage(title: string, job: string, killed: readonly Killed[]): string {
  const rows = killed.map(({ point, run: ended }, index) => {
    const end = ended.status === 137 ? `killed at ${point.type} ${point.nth}` : 'finished the job';
    return `| ${index + 1} | ${end} | ${(lastChange(ended) ?? '').replaceAll('|', '\\|')} |`;
  });
  const head = [
    `# ${title}`,
    '',
    `${new Date().toISOString().slice(0, 10)}, by \`npm run sweep\`: ${job}, by ${killed.length} runs one after the other, each killed with`,
    '`kill -9` at the beginning or at the end of its first change, or after its second. The last run finished; then the plan was empty, etcd',
    'healthy through the virtual IP, and no half-written file, lock, mask or half-installed package was left.',
    '',
    '| run | end | last change |',
    '|---|---|---|',
  ];
  return `${[...head, ...rows].join('\n')}\n`;
}
