import { describe, expect, test } from '@jest/globals';
import type { Event } from '../../../src/model/events.js';
import { createPlainReporter } from '../../../src/report/plain.js';
import { tickingClock } from '../../support/clock.js';
import { expectGolden } from '../../support/golden.js';
import { DRILL_RUN, FAILING_RUN, PLANNING_RUN, ROLLING_RUN, UNREACHABLE_RUN } from '../../support/sample-runs.js';

async function report(events: readonly Event[]): Promise<string> {
  let text = '';
  // Local time, so that the hour is the same everywhere.
  const now = tickingClock(new Date(2026, 10, 21, 12).getTime());
  const reporter = createPlainReporter((piece) => (text += piece), now);
  events.forEach(reporter.sink);
  await reporter.close();
  return text;
}

describe('the plain reporter', () => {
  test.each([
    ['planning', PLANNING_RUN],
    ['rolling', ROLLING_RUN],
    ['failing', FAILING_RUN],
    ['unreachable', UNREACHABLE_RUN],
    ['drill', DRILL_RUN],
  ])('%s reads as in fixtures/runs', async (name, events) => {
    expectGolden(`fixtures/runs/${name}.txt`, await report(events));
  });

  test('what a command printed cannot paint the terminal', async () => {
    const text = await report(FAILING_RUN);
    expect(text).toContain('bind: address already in use');

    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(text).not.toContain('owned');
  });

  test('a notice of several lines is shown as lines that cannot pose as events', async () => {
    const message = 'the plan is saved in a.plan\nshow it with: provision show a.plan\n\u001b[2J12:00:00 play x: a';
    const text = await report([{ type: 'notice', message }]);
    expect(text).toBe(
      '12:00:01 the plan is saved in a.plan\n  show it with: provision show a.plan\n  ␛[2J12:00:00 play x: a\n',
    );
  });

  test('a run that was interrupted says what it did so far', async () => {
    const text = await report(ROLLING_RUN.slice(0, -1));
    expect(text).toContain('etcd-1  restart etcd: /etc/default/etcd changes … ok (1.8 s)');
    expect(text).not.toContain('Done');
  });
});
