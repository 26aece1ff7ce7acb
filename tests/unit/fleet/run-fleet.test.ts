import { describe, expect, test } from '@jest/globals';
import type { ClusterResult } from '../../../src/fleet/fleet-schema.js';
import { failureKinds, runFleet } from '../../../src/fleet/run-fleet.js';

const clusters = (count: number): { name: string; inventory: string }[] =>
  Array.from({ length: count }, (_, index) => ({ name: `c${index}`, inventory: `c${index}.yaml` }));

function ended(
  { name, inventory }: { name: string; inventory: string },
  outcome: ClusterResult['outcome'],
): ClusterResult {
  return { cluster: name, inventory, outcome, changes: null, summary: '', hint: null, elapsedMs: 1 };
}

interface Seen {
  readonly results: readonly ClusterResult[];
  readonly mostAtOnce: number;
  readonly told: readonly string[];
}

async function go(
  count: number,
  outcome: (index: number) => ClusterResult['outcome'],
  more: { jobs?: number; stopAfter?: number; stopAt?: number } = {},
): Promise<Seen> {
  const { jobs = 1, stopAfter = Infinity, stopAt = Infinity } = more;
  let [running, mostAtOnce, started] = [0, 0, 0];
  const told: string[] = [];
  const results = await runFleet(clusters(count), {
    jobs,
    stopAfter,
    isStopped: () => started >= stopAt,
    async work(cluster) {
      started += 1;
      running += 1;
      mostAtOnce = Math.max(mostAtOnce, running);
      await Promise.resolve();
      await Promise.resolve();
      running -= 1;
      return ended(cluster, outcome(Number(cluster.name.slice(1))));
    },
    onResult: ({ cluster }) => told.push(cluster),
  });
  return { results, mostAtOnce, told };
}

const outcomes = ({ results }: Seen): readonly string[] => results.map(({ outcome }) => outcome);

describe('a fleet', () => {
  test.each([1, 3, 40])('is worked on by %d at once, and no more', async (jobs) => {
    const seen = await go(20, () => 'ok', { jobs });
    expect(seen.mostAtOnce).toBe(Math.min(jobs, 20));
    expect(seen.results.map(({ cluster }) => cluster)).toEqual(clusters(20).map(({ name }) => name));
    expect([...seen.told].sort()).toEqual(
      clusters(20)
        .map(({ name }) => name)
        .sort(),
    );
  });

  test('goes on after a failure', async () => {
    const seen = await go(3, (index) => (index === 0 ? 'unsafe' : 'ok'));
    expect(outcomes(seen)).toEqual(['unsafe', 'ok', 'ok']);
    expect(failureKinds(seen.results)).toEqual(['unsafe']);
  });

  test.each([
    [1, ['ok', 'failed', 'not-started', 'not-started', 'not-started']],
    [2, ['ok', 'failed', 'ok', 'locked', 'not-started']],
    [3, ['ok', 'failed', 'ok', 'locked', 'ok']],
  ])('starts no other after %d failures', async (stopAfter, expected) => {
    const all = ['ok', 'failed', 'ok', 'locked', 'ok'] as const;
    const seen = await go(5, (index) => all[index] ?? 'ok', { stopAfter });
    expect(outcomes(seen)).toEqual(expected);
    expect(failureKinds(seen.results)).toEqual(expected.filter((each) => each === 'failed' || each === 'locked'));
    expect(seen.told).toHaveLength(expected.filter((each) => each !== 'not-started').length);
  });

  test('starts no other once a stop is asked for', async () => {
    expect(outcomes(await go(3, () => 'ok', { stopAt: 2 }))).toEqual(['ok', 'ok', 'not-started']);
  });
});
