import type { MeasuredGap } from '../model/drill.js';

/** One attempt; times in milliseconds of the measuring host's own clock. */
export interface Attempt {
  readonly what: 'address' | 'client';
  readonly begunMs: number;
  readonly endedMs: number;
  readonly isSuccess: boolean;
}

/** Reads what shell/watch-endpoint.ts prints; a truncated line is left out. */
export function readAttempts(stdout: string): readonly Attempt[] {
  return [...stdout.matchAll(/^(address|client) (\d+\.\d+) (\d+\.\d+) ([01])$/gm)].map(
    ([, what, begun, ended, success]): Attempt => ({
      what: what === 'address' ? 'address' : 'client',
      begunMs: Math.round(Number(begun) * 1000),
      endedMs: Math.round(Number(ended) * 1000),
      isSuccess: success === '1',
    }),
  );
}

/**
 * The longest time without a success: what someone sees who tries all the time, newly each time. The resolution is the
 * longest step from the beginning of one attempt to that of the next in that time.
 * @param attempts of one kind, at least one of them a success; they may overlap
 */
export function measureGap(attempts: readonly Attempt[]): MeasuredGap {
  const successes = attempts.filter(({ isSuccess }) => isSuccess).toSorted((a, b) => a.endedMs - b.endedMs);
  const between = successes.slice(1).map((to, index): Gap => ({ from: successes[index] ?? to, to, isOver: true }));
  const gaps = [...between, ...openGap(successes.at(-1), attempts)];
  const longest = gaps.reduce<Gap | undefined>((most, gap) => (lengthOf(gap) > lengthOf(most) ? gap : most), undefined);
  return {
    longestMs: lengthOf(longest),
    stepMs: longestStep(longest, attempts),
    isOver: longest?.isOver ?? true,
    failed: attempts.length - successes.length,
    attempts: attempts.length,
  };
}

interface Gap {
  readonly from: Attempt;
  readonly to: Attempt;
  /** It ends with a success. */
  readonly isOver: boolean;
}

/** From the last success to the last attempt, when that began later and failed. */
function openGap(from: Attempt | undefined, attempts: readonly Attempt[]): readonly Gap[] {
  const to = attempts.toSorted((a, b) => a.endedMs - b.endedMs).at(-1);
  return from === undefined || to === undefined || to.begunMs <= from.endedMs ? [] : [{ from, to, isOver: false }];
}

function lengthOf(gap: Gap | undefined): number {
  return gap === undefined ? 0 : gap.to.endedMs - gap.from.endedMs;
}

function longestStep(gap: Gap | undefined, attempts: readonly Attempt[]): number {
  if (gap === undefined) return 0;
  const within = ({ begunMs }: Attempt): boolean => begunMs >= gap.from.begunMs && begunMs <= gap.to.begunMs;
  const begins = attempts
    .filter(within)
    .map(({ begunMs }) => begunMs)
    .toSorted((a, b) => a - b);
  return Math.max(0, ...begins.slice(1).map((begun, index) => begun - (begins[index] ?? begun)));
}
