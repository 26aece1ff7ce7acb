import { ROOT_CONTEXT, SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { describe, expect, test } from '@jest/globals';
import type { Event } from '../../../../src/model/events.js';
import { ATTRIBUTE_NAMES } from '../../../../src/report/telemetry/attributes.js';
import { createRunSpans } from '../../../../src/report/telemetry/run-spans.js';
import { expectGolden } from '../../../support/golden.js';
import { DRILL_RUN, FAILING_RUN, PLANNING_RUN, ROLLING_RUN, UNREACHABLE_RUN } from '../../../support/sample-runs.js';

/** Milliseconds since 1970: OpenTelemetry takes small numbers for times since the process began. */
const BEGUN = Date.UTC(2026, 10, 21);

/** The spans of events that come a second apart. */
function spansOf(events: readonly Event[]): readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const place = { tracer: provider.getTracer('test'), parent: ROOT_CONTEXT };
  const spans = createRunSpans(place, 'apply', BEGUN);
  events.forEach((event, index) => {
    spans.note(event, BEGUN + (index + 1) * 1000);
  });
  spans.end(BEGUN + (events.length + 1) * 1000);
  return exporter.getFinishedSpans();
}

const second = ([seconds]: readonly [number, number]): number => seconds - BEGUN / 1000;

/** As a tree, with seconds since the run began. */
function drawn(spans: readonly ReadableSpan[]): string {
  const below = (id: string | undefined): readonly ReadableSpan[] =>
    spans
      .filter(({ parentSpanContext }) => parentSpanContext?.spanId === id)
      .toSorted((one, other) => one.startTime[0] - other.startTime[0]);
  const lines = (span: ReadableSpan): readonly string[] => [
    `${span.name} ${second(span.startTime)}–${second(span.endTime)} s${span.status.code === SpanStatusCode.ERROR ? ' ERROR' : ''} ${JSON.stringify(span.attributes)}`,
    ...span.events.map(({ name, time, attributes }) => `  · ${second(time)} s ${name} ${JSON.stringify(attributes)}`),
    ...below(span.spanContext().spanId).flatMap((child) => lines(child).map((line) => `  ${line}`)),
  ];
  return `${below(undefined).flatMap(lines).join('\n')}\n`;
}

describe('the spans of a run', () => {
  test.each([
    ['planning', PLANNING_RUN],
    ['rolling', ROLLING_RUN],
    ['failing', FAILING_RUN],
    ['unreachable', UNREACHABLE_RUN],
    ['drill', DRILL_RUN],
  ])('%s are as in fixtures/runs, all of one tree, each within the one above', (name, events) => {
    const spans = spansOf(events);
    expectGolden(`fixtures/runs/${name}.spans.txt`, drawn(spans));
    for (const span of spans) {
      const above = spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
      if (above === undefined) expect(span.name).toBe('provision apply');
      else expect([span.startTime[0] >= above.startTime[0], span.endTime[0] <= above.endTime[0]]).toEqual([true, true]);
    }
  });

  test('that was stopped in the middle of a change ends all that is open', () => {
    const events = ROLLING_RUN.slice(0, ROLLING_RUN.findIndex(({ type }) => type === 'change-started') + 1);
    const spans = spansOf(events);
    expect(spans.map(({ name }) => name)).toContain('change file');
    expect(spans.find(({ name }) => name === 'change file')?.attributes['provision.change.result']).toBe('not-ended');
  });
});

describe('what is said to a collector', () => {
  const FREE = 'FREE-TEXT';
  /** All events with a text that a host, a person or an error may have given. */
  const speak = (host: string): readonly Event[] => [
    { type: 'run-started', command: 'apply', inventory: 'hosts.yaml', by: FREE, hosts: [host] },
    { type: 'play-started', play: 'site', hosts: [host] },
    { type: 'batch-started', play: 'site', hosts: [host] },
    { type: 'gate-waiting', gate: 'etcd-healthy', hosts: [host], reason: FREE },
    { type: 'gate-opened', gate: 'etcd-healthy', hosts: [host], waitedMs: 1, note: FREE },
    { type: 'change-started', play: 'site', host, address: `command:${FREE}`, summary: FREE },
    { type: 'change-failed', play: 'site', host, address: `command:${FREE}`, summary: FREE, message: FREE },
    { type: 'rolled-back', play: 'site', host, address: '', summary: FREE },
    { type: 'notice', host, message: FREE },
    {
      type: 'run-failed',
      ...{ kind: 'failed', message: FREE, hint: FREE },
      failures: [{ host, code: 'command-failed', message: FREE }],
    },
  ];
  const words = (events: readonly Event[]): string => drawn(spansOf(events));

  test('has no text but names: nothing that a host answered, no command, no message', () => {
    expect(words(speak('etcd-1'))).not.toContain(FREE);
    // A word that is said is seen.
    expect(words(speak(FREE))).toContain(FREE);
  });

  test('has attributes of the list alone', () => {
    const spans = [...spansOf(speak('etcd-1')), ...spansOf(DRILL_RUN), ...spansOf(ROLLING_RUN)];
    const used = spans.flatMap(({ attributes, events }) => [
      attributes,
      ...events.map((event) => event.attributes ?? {}),
    ]);
    const known: readonly string[] = ATTRIBUTE_NAMES;
    expect(used.flatMap(Object.keys).filter((name) => !known.includes(name))).toEqual([]);
  });
});
