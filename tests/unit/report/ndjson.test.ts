import { describe, expect, test } from '@jest/globals';
import type { Event } from '../../../src/model/events.js';
import { eventSchema } from '../../../src/report/event-schema.js';
import { createNdjsonReporter } from '../../../src/report/ndjson.js';
import { tickingClock } from '../../support/clock.js';
import { expectGolden } from '../../support/golden.js';
import { PLANTED, SECRETS_AND_ESCAPES } from '../../support/sample-plans.js';
import { DRILL_RUN, FAILING_RUN, PLANNING_RUN, ROLLING_RUN, UNREACHABLE_RUN } from '../../support/sample-runs.js';

function report(events: readonly Event[]): string {
  let text = '';
  const reporter = createNdjsonReporter((piece) => (text += piece), tickingClock(Date.UTC(2026, 10, 21, 12)));
  events.forEach(reporter.sink);
  return text;
}

function lines(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

const RUNS: [string, readonly Event[]][] = [
  ['planning', PLANNING_RUN],
  ['rolling', ROLLING_RUN],
  ['failing', FAILING_RUN],
  ['unreachable', UNREACHABLE_RUN],
  ['drill', DRILL_RUN],
];

describe('the NDJSON reporter', () => {
  test.each(RUNS)('%s is as in fixtures/runs', (name, events) => {
    expectGolden(`fixtures/runs/${name}.ndjson`, report(events));
  });

  test.each(RUNS)('%s: every line passes the schema', (_name, events) => {
    const parsed = lines(report(events));
    expect(parsed).toHaveLength(events.length);
    for (const line of parsed) expect(eventSchema.parse(line)).toEqual(line);
  });

  test('the sample runs hold every type of event', () => {
    const types = RUNS.flatMap(([, events]) => events.map(({ type }) => type));
    expect(new Set(types)).toEqual(new Set(eventSchema.options.map((option) => option.shape.type.value)));
  });

  test('a plan with a secret shows none', () => {
    const text = report([{ type: 'planned', plan: SECRETS_AND_ESCAPES }]);
    expect(text).not.toContain(PLANTED);
    expect(text).toContain('[redacted]');
  });
});
