import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, test } from '@jest/globals';
import type { Event } from '../../../../src/model/events.js';
import { createRunMetrics } from '../../../../src/report/telemetry/run-metrics.js';
import { expectGolden } from '../../../support/golden.js';
import { DRILL_RUN, FAILING_RUN, PLANNING_RUN, ROLLING_RUN, UNREACHABLE_RUN } from '../../../support/sample-runs.js';

const valueOf = (value: number | Histogram): string =>
  typeof value === 'number' ? `${value}` : `${value.count} of ${value.sum ?? NaN} together`;

/** The figures of events that come a second apart, a line each. */
async function figuresOf(events: readonly Event[]): Promise<string> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const metrics = createRunMetrics(provider.getMeter('test'), 'apply', 0);
  events.forEach((event, index) => {
    metrics.note(event, (index + 1) * 1000);
  });
  await provider.forceFlush();
  const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  await provider.shutdown();
  const lines = all.flatMap(({ descriptor: { name, unit }, dataPoints }) =>
    (dataPoints as readonly DataPoint<number | Histogram>[]).map(
      ({ value, attributes }) => `${name} ${valueOf(value)} ${unit} ${JSON.stringify(attributes)}`,
    ),
  );
  return `${lines.join('\n')}\n`;
}

describe('the figures of a run', () => {
  test.each([
    ['planning', PLANNING_RUN],
    ['rolling', ROLLING_RUN],
    ['failing', FAILING_RUN],
    ['unreachable', UNREACHABLE_RUN],
    ['drill', DRILL_RUN],
  ])('%s are as in fixtures/runs', async (name, events) => {
    expectGolden(`fixtures/runs/${name}.metrics.txt`, await figuresOf(events));
  });

  test('whose inventory could not be read have no attribute without a value', async () => {
    const failure: Event = {
      type: 'run-failed',
      ...{ kind: 'failed', message: 'invalid input', failures: [{ message: 'no such file' }] },
    };
    expect(await figuresOf([failure])).toBe(
      'provision.run.duration 1 of 1 together s {"provision.command":"apply","provision.outcome":"failed"}\n' +
        'provision.failures 1 {failure} {"provision.command":"apply","error.type":"_OTHER"}\n',
    );
  });
});
