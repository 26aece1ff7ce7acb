import { expect, test } from '@jest/globals';
import type { Event } from '../../../src/model/events.js';
import { createRunProgress } from '../../../src/report/run-progress.js';
import { ROLLING_RUN, UNREACHABLE_RUN } from '../../support/sample-runs.js';

/** What it says after each event, a second apart; told apart only where it says something else than before. */
function linesOf(events: readonly Event[]): readonly string[] {
  let second = 0;
  const progress = createRunProgress(() => new Date(second * 1000));
  return events
    .map((event) => {
      second += 1;
      progress.note(event);
      return progress.line(new Date(second * 1000)).replace(/, [\d.]+ s$/, '');
    })
    .filter((line, index, all) => line !== all[index - 1]);
}

test('it counts the changes of the plan, and hosts that have none left', () => {
  expect(linesOf(ROLLING_RUN)).toEqual([
    'apply: 0.0 s',
    ...[1, 2, 3, 4, 5].map((second) => `apply: ${second}.0 s`),
    'apply: 6.0 s',
    'apply: 0 of 6 changes, 0 of 3 hosts done',
    'apply: 1 of 6 changes, 0 of 3 hosts done',
    'apply: 2 of 6 changes, 1 of 3 hosts done',
    'apply: 3 of 6 changes, 1 of 3 hosts done',
    'apply: 4 of 6 changes, 2 of 3 hosts done',
    'apply: 5 of 6 changes, 2 of 3 hosts done',
    'apply: 6 of 6 changes, 3 of 3 hosts done',
    '',
  ]);
});

test('without a plan it says what runs and for how long, and nothing when it has ended', () => {
  const lines = linesOf(UNREACHABLE_RUN);
  expect(lines[0]).toBe('plan: 0.0 s');
  expect(lines.at(-1)).toBe('');
});

test('what a person thinks over before the first change is not counted', () => {
  let time = 0;
  const progress = createRunProgress(() => new Date(time));
  const [started, , , , , , , planned] = ROLLING_RUN;
  for (const event of [started, planned]) if (event !== undefined) progress.note(event);
  time = 600_000;
  progress.note({ type: 'play-started', play: 'etcd', hosts: [] });
  expect(progress.line(new Date(602_000))).toBe('apply: 0 of 6 changes, 0 of 3 hosts done, 2.0 s');
  // A later play is a part of the same time.
  time = 603_000;
  progress.note({ type: 'play-started', play: 'load balancer', hosts: [] });
  expect(progress.line(new Date(604_000))).toMatch(/, 4\.0 s$/);
});

test('changes that were known only on the way are counted, too', () => {
  const progress = createRunProgress(() => new Date(0));
  for (const event of ROLLING_RUN.slice(0, -1)) progress.note(event);
  const at = { play: 'etcd', host: 'etcd-9', address: 'a', summary: 's' };
  progress.note({ type: 'change-done', ...at, elapsedMs: 1 });
  expect(progress.line(new Date(0))).toMatch(/^apply: 7 of 7 changes, 3 of 3 hosts done/);
});
